//! Inheritance: which recipes hold for a process, and in which order.

use super::error::{Report, nearest, quoted};
use super::reader::with_nearest;
use super::recipe::ProcessRecipe;
use crate::path;
use std::collections::HashMap;

/// The recipe whose rules hold for every process.
pub(super) const EVERY_PROCESS: &str = "*";

/// The most recipes that one may inherit from, one through the other.
const MAX_ANCESTORS: usize = 16;

/// The most recipes whose names an error lists.
const MAX_LISTED: usize = 12;

/// Refuses what inherits from nothing, from itself, or from too far away.
pub(super) fn check(report: &mut Report<'_>, recipes: &[ProcessRecipe]) {
    let by_name: HashMap<&str, &ProcessRecipe> =
        recipes.iter().map(|it| (it.name.as_str(), it)).collect();
    for recipe in recipes {
        let Some((place, parent)) = &recipe.inherits else {
            continue;
        };
        if parent == EVERY_PROCESS {
            let message = "`*` holds for every process without being inherited";
            report.refuse(*place, message, "leave this out".to_owned());
        } else if !by_name.contains_key(parent.as_str()) {
            let others = || {
                let names = recipes.iter().map(|it| it.name.as_str());
                names.filter(|name| *name != EVERY_PROCESS && *name != recipe.name)
            };
            let expected = match others().count() {
                0 => "there is no other recipe in the file".to_owned(),
                1..=MAX_LISTED => format!("there are {}", quoted(others())),
                count => format!("there are {count} others in the file"),
            };
            report.refuse(
                *place,
                format!("there is no recipe `{}` to inherit", path::cut(parent)),
                with_nearest(nearest(parent, others()), &expected),
            );
        } else {
            check_line(report, recipe, &by_name);
        }
    }
}

/// Follows one line of ancestors; it ends within the bound, whatever the file says.
fn check_line(
    report: &mut Report<'_>,
    recipe: &ProcessRecipe,
    by_name: &HashMap<&str, &ProcessRecipe>,
) {
    let Some((place, _)) = &recipe.inherits else {
        return;
    };
    let mut line = vec![recipe.name.as_str()];
    let mut at = recipe;
    while let Some((_, parent)) = &at.inherits {
        line.push(parent);
        if *parent == recipe.name {
            let shown: Vec<String> = line.iter().map(|name| path::cut(name)).collect();
            report.refuse(
                *place,
                format!(
                    "`{}` inherits from itself: {}",
                    shown[0],
                    shown.join(" <- ")
                ),
                "take one of these `inherits` out".to_owned(),
            );
            return;
        }
        if line.len() > MAX_ANCESTORS + 1 {
            report.refuse(
                *place,
                format!(
                    "`{}` inherits through more than {MAX_ANCESTORS} recipes, or from ones that inherit in a circle",
                    path::cut(&recipe.name)
                ),
                "inherit from one nearer to the first".to_owned(),
            );
            return;
        }
        match by_name.get(parent.as_str()) {
            Some(parent) => at = parent,
            // Reported where it stands.
            None => return,
        }
    }
}

/// One recipe that holds for a process, and by which way.
#[derive(Clone, Copy)]
pub(super) struct Holding<'a> {
    pub(super) recipe: &'a ProcessRecipe,
    pub(super) way: Way,
}

/// Why a recipe holds for a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It is the process's own.
    Own,
    /// The process's own inherits it.
    Inherited,
    /// It is `*`, or `*` inherits it.
    EveryProcess,
}

/// The recipes that hold for a process, in the order in which their rules are judged: `*` first, then what is
/// inherited from the farthest ancestor on, then its own. Each of them once.
pub(super) fn holding<'a>(recipes: &'a [ProcessRecipe], process: &str) -> Vec<Holding<'a>> {
    let mut all: Vec<Holding<'a>> = Vec::new();
    for (name, way) in [
        (EVERY_PROCESS, Way::EveryProcess),
        (process, Way::Inherited),
    ] {
        let mut line = ancestors(recipes, name);
        line.reverse();
        for recipe in line {
            let is_known = all.iter().any(|it| std::ptr::eq(it.recipe, recipe));
            if is_known {
                continue;
            }
            let way = if recipe.name == process {
                Way::Own
            } else {
                way
            };
            all.push(Holding { recipe, way });
        }
    }
    all
}

/// A recipe and what it inherits from, one through the other.
pub(super) fn ancestors<'a>(recipes: &'a [ProcessRecipe], name: &str) -> Vec<&'a ProcessRecipe> {
    let find = |name: &str| recipes.iter().find(|it| it.name == name);
    let mut line = Vec::new();
    let mut at = find(name);
    while let Some(recipe) = at {
        line.push(recipe);
        if line.len() > MAX_ANCESTORS + 1 {
            break;
        }
        at = recipe
            .inherits
            .as_ref()
            .and_then(|(_, parent)| find(parent));
    }
    line
}

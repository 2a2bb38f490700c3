//! What the instances of a guest come to: a module or a component counts once for each instance of it.

use wasmparser::{ComponentAlias, ComponentExternalKind, ComponentOuterAliasKind};

/// What there is of something in one instance, with all that it instantiates in turn.
#[derive(Clone, Copy, Default)]
pub(super) struct Sum {
    /// Bytes of data that are copied while it is made, without fuel and without a look at the deadline.
    pub(super) bytes: u64,
    /// Components that take or give texts or lists: between two of them the runtime copies these, in the same way.
    pub(super) parts: u64,
}

/// The modules and components that the parser is in, the innermost last.
pub(super) struct Instances {
    open: Vec<Unit>,
    /// What a module has at most that is not known: the whole file.
    module: Sum,
    /// What a component has at most that is not known: as much as any may have.
    component: Sum,
}

/// A module or a component.
#[derive(Default)]
struct Unit {
    sum: Sum,
    is_part: bool,
    /// What one instance is of each module and component that it may instantiate; none where that is not known.
    modules: Vec<Option<Sum>>,
    components: Vec<Option<Sum>>,
}

impl Instances {
    /// Of a file, of which nothing may have more than `most`.
    pub(super) fn new(file: &[u8], most: Sum) -> Self {
        Self {
            open: Vec::new(),
            module: Sum {
                bytes: file.len() as u64,
                parts: 0,
            },
            component: most,
        }
    }

    pub(super) fn begin(&mut self) {
        self.open.push(Unit::default());
    }

    /// Ends the innermost: the one around it may instantiate it from here on.
    pub(super) fn end(&mut self, is_module: bool) {
        let ended = self.open.pop().map(|unit| unit.sum);
        if let Some(unit) = self.open.last_mut() {
            unit.list(is_module).push(ended);
        }
    }

    /// The innermost has data that is copied.
    pub(super) fn data(&mut self, bytes: u64) {
        if let Some(unit) = self.open.last_mut() {
            unit.sum.bytes = unit.sum.bytes.saturating_add(bytes);
        }
    }

    /// The innermost takes or gives texts or lists: what it comes to by now.
    pub(super) fn is_part(&mut self) -> Sum {
        let Some(unit) = self.open.last_mut() else {
            return Sum::default();
        };
        if !unit.is_part {
            unit.is_part = true;
            unit.sum.parts = unit.sum.parts.saturating_add(1);
        }
        unit.sum
    }

    /// The innermost instantiates a module or a component: what it comes to by now.
    pub(super) fn instantiate(&mut self, is_module: bool, index: u32) -> Sum {
        let Some(unit) = self.open.last_mut() else {
            return Sum::default();
        };
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        let known = unit.list(is_module).get(index).copied().flatten();
        let unknown = if is_module {
            self.module
        } else {
            self.component
        };
        let Sum { bytes, parts } = known.unwrap_or(unknown);
        unit.sum.bytes = unit.sum.bytes.saturating_add(bytes);
        unit.sum.parts = unit.sum.parts.saturating_add(parts);
        unit.sum
    }

    /// The innermost gets an item of this kind by its name.
    pub(super) fn named(&mut self, kind: ComponentExternalKind) {
        let Some(unit) = self.open.last_mut() else {
            return;
        };
        match kind {
            ComponentExternalKind::Module => unit.modules.push(None),
            ComponentExternalKind::Component => unit.components.push(None),
            _ => {}
        }
    }

    /// The innermost gets a module or component of one that it is in.
    fn outer(&mut self, is_module: bool, outward: u32, index: u32) {
        let of = |number| usize::try_from(number).unwrap_or(usize::MAX);
        let owner = self.open.len().checked_sub(of(outward).saturating_add(1));
        let owner = owner.map(|owner| &mut self.open[owner]);
        let known = owner.and_then(|it| it.list(is_module).get(of(index)).copied().flatten());
        if let Some(unit) = self.open.last_mut() {
            unit.list(is_module).push(known);
        }
    }

    /// The innermost gets an item of another component.
    pub(super) fn alias(&mut self, alias: &ComponentAlias<'_>) {
        match alias {
            ComponentAlias::InstanceExport { kind, .. } => self.named(*kind),
            ComponentAlias::Outer { kind, count, index } => match kind {
                ComponentOuterAliasKind::CoreModule => self.outer(true, *count, *index),
                ComponentOuterAliasKind::Component => self.outer(false, *count, *index),
                _ => {}
            },
            ComponentAlias::CoreInstanceExport { .. } => {}
        }
    }
}

impl Unit {
    fn list(&mut self, is_module: bool) -> &mut Vec<Option<Sum>> {
        if is_module {
            &mut self.modules
        } else {
            &mut self.components
        }
    }
}

//! How many bytes of data are copied while a guest is instantiated: those of a module once for each of its instances, without fuel
//! and without a look at the deadline.

use wasmparser::{ComponentAlias, ComponentExternalKind, ComponentOuterAliasKind};

/// What is known of every module and component that the parser is in.
pub(super) struct Copies {
    open: Vec<Unit>,
    /// What is not known is not more than the whole file.
    most: u64,
}

/// A module or a component.
#[derive(Default)]
struct Unit {
    /// What one instance of it copies.
    bytes: u64,
    /// What one instance copies of each module and component that it may instantiate; none where that is not known.
    modules: Vec<Option<u64>>,
    components: Vec<Option<u64>>,
}

impl Copies {
    pub(super) fn new(file: &[u8]) -> Self {
        Self {
            open: Vec::new(),
            most: file.len() as u64,
        }
    }

    pub(super) fn begin(&mut self) {
        self.open.push(Unit::default());
    }

    /// Ends the innermost: the one around it may instantiate it from here on.
    pub(super) fn end(&mut self, is_module: bool) {
        let ended = self.open.pop().map(|unit| unit.bytes);
        if let Some(unit) = self.open.last_mut() {
            unit.list(is_module).push(ended);
        }
    }

    /// The innermost copies so many more bytes: how many it does by now.
    pub(super) fn add(&mut self, bytes: u64) -> u64 {
        let Some(unit) = self.open.last_mut() else {
            return 0;
        };
        unit.bytes = unit.bytes.saturating_add(bytes);
        unit.bytes
    }

    /// The innermost instantiates a module: how many bytes it copies by now.
    pub(super) fn module(&mut self, index: u32) -> u64 {
        self.instantiate(true, index)
    }

    /// The innermost instantiates a component: how many bytes it copies by now.
    pub(super) fn component(&mut self, index: u32) -> u64 {
        self.instantiate(false, index)
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

    /// The innermost gets an item of another component.
    pub(super) fn alias(&mut self, alias: &ComponentAlias<'_>) {
        match alias {
            ComponentAlias::InstanceExport { kind, .. } => self.named(*kind),
            ComponentAlias::Outer {
                kind: ComponentOuterAliasKind::CoreModule,
                ..
            } => self.named(ComponentExternalKind::Module),
            ComponentAlias::Outer {
                kind: ComponentOuterAliasKind::Component,
                ..
            } => self.named(ComponentExternalKind::Component),
            ComponentAlias::Outer { .. } | ComponentAlias::CoreInstanceExport { .. } => {}
        }
    }

    fn instantiate(&mut self, is_module: bool, index: u32) -> u64 {
        let list = self.open.last_mut().map(|unit| unit.list(is_module));
        let known = list.and_then(|list| list.get(usize::try_from(index).ok()?).copied().flatten());
        self.add(known.unwrap_or(self.most))
    }
}

impl Unit {
    fn list(&mut self, is_module: bool) -> &mut Vec<Option<u64>> {
        if is_module {
            &mut self.modules
        } else {
            &mut self.components
        }
    }
}

//! A panic ends the call as a trap that names its place in the source.

/// Makes panics report to the host. Cheap enough for every call: the hook is a plain function, nothing is allocated.
pub(crate) fn report_to_host() {
    std::panic::set_hook(Box::new(report));
}

fn report(panic: &std::panic::PanicHookInfo<'_>) {
    let message = panic
        .payload_as_str()
        .unwrap_or("a panic without a message");
    let (file, line, column) = panic.location().map_or(("", 0, 0), |place| {
        (place.file(), place.line(), place.column())
    });
    crate::host::log::abort(message, file, line, column);
}

//! A service that runs a guest's processes over HTTP.
//!
//! ```console
//! $ cargo run --release --example service -- guests/warehouse guests/warehouse/context.yaml 127.0.0.1:8080
//! $ curl --json '{"product_name": "TV", "price": 500}' 127.0.0.1:8080/processes/add_product
//! $ curl 127.0.0.1:8080/context
//! ```

mod service;

use std::error::Error;
use std::path::Path;
use theus_host::build::Build;
use theus_host::{Engine, Policy, context_from_value};
use tokio::net::TcpListener;

#[tokio::main]
#[expect(clippy::print_stderr, reason = "a program may talk to who started it")]
async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [guest, context, address] = words.as_slice() else {
        return Err("usage: service GUEST CONTEXT ADDRESS".into());
    };
    let engine = engine(Path::new(guest), Path::new(context))?;
    let listener = TcpListener::bind(address).await?;
    eprintln!("listening on http://{}", listener.local_addr()?);
    service::serve(
        listener,
        engine,
        service::Settings::default(),
        told_to_stop(),
    )
    .await?;
    eprintln!("stopped; nothing is in flight");
    Ok(())
}

/// An engine over the context of a YAML or JSON file, with the guest of a folder or a `.wasm` file.
fn engine(guest: &Path, context: &Path) -> Result<Engine, Box<dyn Error>> {
    let context = serde_saphyr::from_str(&std::fs::read_to_string(context)?)?;
    let engine = Engine::builder()
        .context(context_from_value(&context)?)
        .build()?;
    let wasm = if guest.is_dir() {
        Build::new(guest).run()?.wasm
    } else {
        guest.to_owned()
    };
    engine.register(wasm, Policy::as_declared())?;
    Ok(engine)
}

/// Ready when whoever runs the service wants it to stop: Ctrl-C, or what a process supervisor sends.
async fn told_to_stop() {
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            // No such signal here: then it does not come.
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = interrupted => {}
        () = terminated() => {}
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};

    match signal(SignalKind::terminate()) {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}

//! The engine behind HTTP.
//!
//! | request | answer |
//! | --- | --- |
//! | `POST /processes/{name}`, a JSON object of arguments | the receipt, whatever happened |
//! | `GET /context` | the last committed version: `version`, `global`, `domain` |
//! | `GET /healthz` | `ok` |
//!
//! The receipt is the object that `theus-host run -o json` prints. Its `error.code` says exactly what happened; the
//! status says as much of it as HTTP has a word for:
//!
//! | `error.kind` | status | why |
//! | --- | --- | --- |
//! | none | 200 | committed |
//! | `usage` | 404 where there is no such process, else 400 | the caller mends the request |
//! | `contract` | 422 | well-formed, but what it made the process do is not granted. A contract does not change by waiting, so no status that clients and proxies answer with another try |
//! | `failure` | 422 | the process refuses, in its own words: `error.code` is the contract's |
//! | `audit-block` | 403 | a rule of the operator forbids this call |
//! | `audit-abort` | 409 | the same, and the caller is to stop what this call is a part of |
//! | `interlock` | 503 | nothing runs until an operator resets it; no `Retry-After`, since nobody knows when |
//! | `limit` | 413 for the arguments, 504 for time, else 429 | more than one call is given; a run that waited too long for others may be sent again |
//! | `trap`, `host` | 500 | the guest or the host is broken |
//!
//! A request that never becomes a call has an `error` of the same shape: 400, 413, 415, and 503 with `Retry-After` where
//! all places are taken.
//!
//! # Security
//!
//! It knows no users: put what authenticates them in front of it, above all in front of `/context`, which shows
//! everything. Arguments must be declared as JSON, so that no web page can send them from somebody's browser unasked.

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde::Serialize;
use std::future::Future;
use std::sync::Arc;
use theus_host::{
    Call, Code, Engine, ErrorKind, ErrorReport, Layer, Limit, Map, Outcome, Receipt, RunError,
    Value,
};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// What the service allows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// Calls that run, or wait for keys that others hold, at the same time. Each takes a thread.
    pub(crate) running: usize,
    /// Calls that wait for one of those to end; whoever comes later is told to come again.
    pub(crate) waiting: usize,
    /// The largest request body.
    pub(crate) body_bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            running: 64,
            waiting: 1_024,
            body_bytes: 4 * 1024 * 1024,
        }
    }
}

/// Serves until `stop` is ready, then takes no more connections, finishes the calls in flight, and returns.
pub(crate) async fn serve(
    listener: TcpListener,
    engine: Engine,
    settings: Settings,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router(engine, settings))
        .with_graceful_shutdown(stop)
        .await
}

#[derive(Clone)]
struct Service {
    engine: Engine,
    /// One permit per call that is here at all, running or waiting.
    places: Arc<Semaphore>,
    /// One permit per call that runs.
    running: Arc<Semaphore>,
}

fn router(engine: Engine, settings: Settings) -> Router {
    let service = Service {
        engine,
        places: Arc::new(Semaphore::new(settings.running + settings.waiting)),
        running: Arc::new(Semaphore::new(settings.running)),
    };
    Router::new()
        .route("/processes/{name}", post(run))
        .route("/context", get(context))
        .route("/healthz", get(async || "ok"))
        .layer(DefaultBodyLimit::max(settings.body_bytes))
        .with_state(service)
}

async fn run(
    State(service): State<Service>,
    Path(process): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    match arguments(&headers, body) {
        Ok(args) => service.call(Call::new(process, args)).await,
        Err((status, code, message)) => refused(status, report(code, message, Some(process))),
    }
}

async fn context(State(service): State<Service>) -> Response {
    #[derive(Serialize)]
    struct Context<'a> {
        version: u64,
        global: &'a Value,
        domain: &'a Value,
    }
    // A snapshot is taken at once, but a large one is not written at once.
    let printed = spawn_blocking(move || {
        let snapshot = service.engine.context();
        json(
            StatusCode::OK,
            &Context {
                version: snapshot.version,
                global: snapshot.tree.layer(Layer::Global),
                domain: snapshot.tree.layer(Layer::Domain),
            },
        )
    });
    printed.await.unwrap_or_else(|_| host_failed(None))
}

impl Service {
    /// Makes a call on a thread of its own: the engine blocks, and a reactor's thread must not.
    async fn call(self, call: Call<'static>) -> Response {
        let process = Some(call.process.to_string());
        let Ok(place) = self.places.try_acquire_owned() else {
            return busy(process);
        };
        let Ok(running) = self.running.acquire_owned().await else {
            return host_failed(process);
        };
        let engine = self.engine;
        let called = spawn_blocking(move || {
            // Given back when the call has ended, even where its caller has hung up meanwhile.
            let _held = (place, running);
            let receipt = engine.call(call);
            json(status(&receipt), &receipt)
        });
        called.await.unwrap_or_else(|_| host_failed(process))
    }
}

/// Why a request does not become a call.
type Refusal = (StatusCode, Code, String);

/// The arguments in a request; an empty body is no arguments.
fn arguments(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Map, Refusal> {
    let body = body.map_err(|rejection| {
        let code = match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Code::ArgumentsTooLarge,
            _ => Code::Arguments,
        };
        (rejection.status(), code, rejection.body_text())
    })?;
    if body.is_empty() {
        return Ok(Map::new());
    }
    let media_type = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    if media_type
        .and_then(|it| it.split(';').next())
        .map(str::trim)
        != Some("application/json")
    {
        let message = "the body must be of type application/json".to_owned();
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::Arguments, message));
    }
    let wrong = |message: String| (StatusCode::BAD_REQUEST, Code::Arguments, message);
    match serde_json::from_slice(&body) {
        Ok(Value::Map(args)) => Ok(args),
        Ok(other) => Err(wrong(format!(
            "the body must be an object of arguments, it is a {}",
            other.kind()
        ))),
        Err(error) => Err(wrong(format!("the body is not JSON: {error}"))),
    }
}

/// The status of a call that has ended.
fn status(receipt: &Receipt) -> StatusCode {
    let Some(error) = &receipt.error else {
        return StatusCode::OK;
    };
    match error.kind() {
        ErrorKind::Usage if matches!(error, RunError::NoSuchProcess { .. }) => {
            StatusCode::NOT_FOUND
        }
        ErrorKind::Usage => StatusCode::BAD_REQUEST,
        ErrorKind::Contract | ErrorKind::Failure => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorKind::AuditBlock => StatusCode::FORBIDDEN,
        ErrorKind::AuditAbort => StatusCode::CONFLICT,
        ErrorKind::Interlock => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::Limit => match error.limit() {
            Some(Limit::ArgumentBytes) => StatusCode::PAYLOAD_TOO_LARGE,
            Some(Limit::Time) => StatusCode::GATEWAY_TIMEOUT,
            _ => StatusCode::TOO_MANY_REQUESTS,
        },
        // `Trap`, `Host`, and kinds that a later version adds.
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn busy(process: Option<String>) -> Response {
    let error = ErrorReport {
        // The engine has no code for it: it has not heard of this call.
        code: "busy".into(),
        kind: ErrorKind::Limit,
        ..report(Code::HostFailed, "all places are taken".into(), process)
    };
    let mut response = refused(StatusCode::SERVICE_UNAVAILABLE, error);
    response.headers_mut().insert(RETRY_AFTER, 1.into());
    response
}

fn host_failed(process: Option<String>) -> Response {
    let error = report(Code::HostFailed, "the host failed".into(), process);
    refused(StatusCode::INTERNAL_SERVER_ERROR, error)
}

/// The answer to a request that did not become a call: the part of a receipt that there is.
fn refused(status: StatusCode, error: ErrorReport) -> Response {
    #[derive(Serialize)]
    struct Refused {
        outcome: Outcome,
        error: ErrorReport,
    }
    let outcome = Outcome::Refused;
    json(status, &Refused { outcome, error })
}

fn report(code: Code, message: String, process: Option<String>) -> ErrorReport {
    ErrorReport {
        code: code.to_string(),
        kind: code.kind(),
        message,
        help: None,
        path: None,
        process,
    }
}

fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => (status, [(CONTENT_TYPE, "application/json")], bytes).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

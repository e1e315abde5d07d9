// SPDX-License-Identifier: Apache-2.0
//! The handlers that test_runner_rust.py calls, under the runtime that RRQ publishes.

use std::time::Duration;

use rrq_runner::{ExecutionOutcome, ExecutionRequest, NoopTelemetry, Registry, RunnerRuntime, parse_tcp_socket};
use serde_json::json;

fn succeed(request: &ExecutionRequest, result: serde_json::Value) -> ExecutionOutcome {
    ExecutionOutcome::success(request.job_id.clone(), request.request_id.clone(), result)
}

fn registry() -> Registry {
    let mut registry = Registry::new();
    registry.register("echo", |request: ExecutionRequest| async move { succeed(&request, json!(request.params)) });
    registry.register("note", |request: ExecutionRequest| async move {
        let file = request.params["file"].as_str().unwrap_or_default();
        let context = &request.context;
        let note = json!({"params": request.params, "attempt": context.attempt, "queue": context.queue_name,
            "worker": context.worker_id, "correlation": context.correlation_context,
            "trace": context.trace_context, "deadline": context.deadline.map(|at| at.to_rfc3339())});
        match std::fs::write(file, note.to_string()) {
            Ok(()) => succeed(&request, json!(null)),
            Err(error) => ExecutionOutcome::error(request.job_id, request.request_id, error.to_string()),
        }
    });
    registry.register("boom", |request: ExecutionRequest| async move {
        ExecutionOutcome::error(request.job_id, request.request_id, "boom: gamma")
    });
    registry.register("retry", |request: ExecutionRequest| async move {
        ExecutionOutcome::retry(request.job_id, request.request_id, "later", Some(0.2))
    });
    registry.register("forever", |request: ExecutionRequest| async move {
        tokio::time::sleep(Duration::from_secs(1000)).await;
        succeed(&request, json!(null))
    });
    registry.register("crash", |_request: ExecutionRequest| async move { std::process::exit(9) });
    registry
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = RunnerRuntime::new()?;
    let arguments: Vec<String> = std::env::args().collect();
    let at = arguments.iter().position(|word| word == "--tcp-socket").ok_or("--tcp-socket is missing")?;
    let address = parse_tcp_socket(arguments.get(at + 1).ok_or("--tcp-socket wants an address")?)?;
    runtime.run_tcp_with(&registry(), address, &NoopTelemetry)
}

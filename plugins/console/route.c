/* SPDX-License-Identifier: Apache-2.0 */
/* Which handler answers what: the paths of openapi.yaml, in its order, and the page. */
#include "console.h"

#define GET  MHD_HTTP_METHOD_GET
#define POST MHD_HTTP_METHOD_POST

static const struct con_route routes[] = {
    {GET, "/health", con_health, false},
    {GET, "/ready", con_ready, false},
    {GET, "/metrics", con_metrics, false},
    {GET, "/v1/version", con_version, false},
    {GET, "/v1/status", con_status, false},
    {GET, "/v1/runs", con_runs_list, false},
    {POST, "/v1/runs", con_run_submit, true},
    {GET, "/v1/runs/{run}", con_run_show, false},
    {GET, "/v1/runs/{run}/spec", con_run_spec, false},
    {GET, "/v1/runs/{run}/route", con_run_route, false},
    {GET, "/v1/runs/{run}/output", con_run_output, false},
    {POST, "/v1/runs/{run}/{action}", con_run_act, false},
    {GET, "/v1/jobs", con_jobs_list, false},
    {POST, "/v1/jobs", con_job_submit, true},
    {GET, "/v1/jobs/{job}", con_job_show, false},
    {POST, "/v1/jobs/{job}/{action}", con_job_act, false},
    {GET, "/v1/topics", con_topics, false},
    {POST, "/v1/topics/{topic}/{action}", con_topic_act, false},
    {GET, "/v1/dead", con_dead, false},
    {POST, "/v1/dead/{action}", con_dead_act, true},
    {GET, "/v1/slots", con_slots, false},
    {POST, "/v1/slots/{slot}/{action}", con_slot_act, false},
    {GET, "/v1/tasks", con_tasks, false},
    {POST, "/v1/tasks/{task}/{action}", con_task_act, false},
    {GET, "/v1/plugins", con_plugins, false},
    {POST, "/v1/route", con_route_ask, true},
    {POST, "/v1/check", con_check, true},
    {GET, "/v1/inbox", con_inbox, false},
    {GET, "/v1/events", con_events_follow, false},
    {POST, "/v1/server/{action}", con_server_act, false},
    {GET, "/", con_static, false},
    {GET, "/page/{file}", con_static, false},
};

enum { ROUTES = sizeof routes / sizeof *routes };

/* What is fixed goes before what stands for anything: /v1/runs/{run}/spec before /v1/runs/{run}/{action}. */
void con_route(struct con_request *request) {
    const char *allowed = NULL;
    for (size_t i = 0; i < ROUTES; i++) {
        const struct con_route *route = &routes[i];
        if (!con_uri_matches(route->pattern, request->parts, request->part_count)) continue;
        if (!strcmp(route->method, request->method)) {
            request->route = route;
            return;
        }
        allowed = allowed && strcmp(allowed, route->method) != 0 ? "GET, HEAD, POST" : route->method;
    }
    if (!allowed) {
        con_answer_fault(request, CON_NOT_FOUND, "there is nothing at this path", NULL);
        return;
    }
    if (!strcmp(allowed, GET)) allowed = "GET, HEAD";
    con_answer_faultf(request, CON_NOT_ALLOWED, "%.32s is not for this path; it has %s", request->method, allowed);
    con_answer_header(request, MHD_HTTP_HEADER_ALLOW, allowed);
}

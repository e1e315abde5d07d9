/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where every member of the ABI lies, and what every function takes, as they were frozen: a list made by pins.py for
 * freeze.sh, not by hand. If this does not compile, plugins that exist would break. A new member at the end moves
 * nothing here: that is the only change there may be within a major. SIZE says how much a struct had; it may have more
 * by now.
 */
#include <paddock/control.h>
#include <paddock/loop.h>
#include <paddock/plugin.h>
#include <paddock/process.h>

#if !defined(__LP64__)
#error "the pins are those of 64-bit machines: do not build this one"
#endif

#define PIN(type, member, offset) _Static_assert(offsetof(type, member) == (offset), #type "." #member)
#define SIZE(type, size)          _Static_assert(sizeof(type) >= (size), #type)
#define WHOLE(type, size)         _Static_assert(sizeof(type) == (size), #type " has no struct_size, so it cannot grow")
#define CALL(type, member, ...)                                                 \
    _Static_assert(_Generic(((type *)0)->member, __VA_ARGS__ : 1, default : 0), \
                   #type "." #member " takes something else")

SIZE(pdk_error, 784);
PIN(pdk_error, struct_size, 0);
PIN(pdk_error, code, 4);
PIN(pdk_error, at, 8);
PIN(pdk_error, message, 16);
PIN(pdk_error, hint, 528);

SIZE(pdk_values, 240);
PIN(pdk_values, struct_size, 0);
PIN(pdk_values, reserved, 4);
PIN(pdk_values, data, 8);
PIN(pdk_values, type, 16);
PIN(pdk_values, count, 24);
PIN(pdk_values, get, 32);
PIN(pdk_values, at, 40);
PIN(pdk_values, key_at, 48);
PIN(pdk_values, boolean, 56);
PIN(pdk_values, integer, 64);
PIN(pdk_values, number, 72);
PIN(pdk_values, string, 80);
PIN(pdk_values, duration, 88);
PIN(pdk_values, size, 96);
PIN(pdk_values, where, 104);
PIN(pdk_values, hold, 112);
PIN(pdk_values, drop, 120);
PIN(pdk_values, open, 128);
PIN(pdk_values, put_null, 136);
PIN(pdk_values, put_bool, 144);
PIN(pdk_values, put_int, 152);
PIN(pdk_values, put_number, 160);
PIN(pdk_values, put_string, 168);
PIN(pdk_values, put_value, 176);
PIN(pdk_values, put_list, 184);
PIN(pdk_values, put_map, 192);
PIN(pdk_values, key, 200);
PIN(pdk_values, end, 208);
PIN(pdk_values, close, 216);
PIN(pdk_values, parse, 224);
PIN(pdk_values, print, 232);
CALL(pdk_values, type, int32_t (*)(const pdk_value *));
CALL(pdk_values, count, size_t (*)(const pdk_value *));
CALL(pdk_values, get, const pdk_value *(*)(const pdk_value *, const char *));
CALL(pdk_values, at, const pdk_value *(*)(const pdk_value *, size_t));
CALL(pdk_values, key_at, const char *(*)(const pdk_value *, size_t));
CALL(pdk_values, boolean, int32_t (*)(const pdk_value *, int32_t *));
CALL(pdk_values, integer, int32_t (*)(const pdk_value *, int64_t *));
CALL(pdk_values, number, int32_t (*)(const pdk_value *, double *));
CALL(pdk_values, string, int32_t (*)(const pdk_value *, const char **));
CALL(pdk_values, duration, int32_t (*)(const pdk_value *, uint64_t *));
CALL(pdk_values, size, int32_t (*)(const pdk_value *, uint64_t *));
CALL(pdk_values, where, size_t (*)(const pdk_value *, char *, size_t));
CALL(pdk_values, hold, const pdk_value *(*)(const pdk_value *));
CALL(pdk_values, drop, void (*)(const pdk_value *));
CALL(pdk_values, open, pdk_writer *(*)(const pdk_values *));
CALL(pdk_values, put_null, void (*)(pdk_writer *));
CALL(pdk_values, put_bool, void (*)(pdk_writer *, int32_t));
CALL(pdk_values, put_int, void (*)(pdk_writer *, int64_t));
CALL(pdk_values, put_number, void (*)(pdk_writer *, double));
CALL(pdk_values, put_string, void (*)(pdk_writer *, const char *, size_t));
CALL(pdk_values, put_value, void (*)(pdk_writer *, const pdk_value *));
CALL(pdk_values, put_list, void (*)(pdk_writer *));
CALL(pdk_values, put_map, void (*)(pdk_writer *));
CALL(pdk_values, key, void (*)(pdk_writer *, const char *));
CALL(pdk_values, end, void (*)(pdk_writer *));
CALL(pdk_values, close, int32_t (*)(pdk_writer *, const pdk_value **, pdk_error *));
CALL(pdk_values, parse,
     int32_t (*)(const pdk_values *, const char *, size_t, const char *, const pdk_value **, pdk_error *));
CALL(pdk_values, print, int32_t (*)(const pdk_values *, const pdk_value *, uint32_t, pdk_write, void *));

SIZE(pdk_param, 64);
PIN(pdk_param, name, 0);
PIN(pdk_param, type, 8);
PIN(pdk_param, flags, 12);
PIN(pdk_param, fallback, 16);
PIN(pdk_param, doc, 24);
PIN(pdk_param, choices, 32);
PIN(pdk_param, min, 40);
PIN(pdk_param, max, 48);
PIN(pdk_param, fields, 56);

SIZE(pdk_schema, 32);
PIN(pdk_schema, struct_size, 0);
PIN(pdk_schema, param_size, 4);
PIN(pdk_schema, name, 8);
PIN(pdk_schema, doc, 16);
PIN(pdk_schema, params, 24);

SIZE(pdk_spec, 80);
PIN(pdk_spec, struct_size, 0);
PIN(pdk_spec, reserved, 4);
PIN(pdk_spec, kind, 8);
PIN(pdk_spec, name, 16);
PIN(pdk_spec, slot, 24);
PIN(pdk_spec, with, 32);
PIN(pdk_spec, labels, 40);
PIN(pdk_spec, input, 48);
PIN(pdk_spec, whole, 56);
PIN(pdk_spec, timeout_ns, 64);
PIN(pdk_spec, grace_ns, 72);

SIZE(pdk_start, 48);
PIN(pdk_start, struct_size, 0);
PIN(pdk_start, number, 4);
PIN(pdk_start, attempt, 8);
PIN(pdk_start, run_id, 16);
PIN(pdk_start, deadline_ns, 24);
PIN(pdk_start, trace, 32);
PIN(pdk_start, trace_state, 40);

SIZE(pdk_usage, 48);
PIN(pdk_usage, struct_size, 0);
PIN(pdk_usage, reserved, 4);
PIN(pdk_usage, user_ns, 8);
PIN(pdk_usage, system_ns, 16);
PIN(pdk_usage, max_rss, 24);
PIN(pdk_usage, read_bytes, 32);
PIN(pdk_usage, written_bytes, 40);

SIZE(pdk_result, 64);
PIN(pdk_result, struct_size, 0);
PIN(pdk_result, status, 4);
PIN(pdk_result, category, 8);
PIN(pdk_result, exit_code, 12);
PIN(pdk_result, signal, 16);
PIN(pdk_result, reserved, 20);
PIN(pdk_result, retry_after_ns, 24);
PIN(pdk_result, code, 32);
PIN(pdk_result, message, 40);
PIN(pdk_result, output, 48);
PIN(pdk_result, usage, 56);

SIZE(pdk_outcome, 80);
PIN(pdk_outcome, struct_size, 0);
PIN(pdk_outcome, end, 4);
PIN(pdk_outcome, attempts, 8);
PIN(pdk_outcome, reason, 12);
PIN(pdk_outcome, run, 16);
PIN(pdk_outcome, run_id, 24);
PIN(pdk_outcome, runner, 32);
PIN(pdk_outcome, submitted_ns, 40);
PIN(pdk_outcome, started_ns, 48);
PIN(pdk_outcome, ended_ns, 56);
PIN(pdk_outcome, last, 64);
PIN(pdk_outcome, trace, 72);

SIZE(pdk_host, 136);
PIN(pdk_host, struct_size, 0);
PIN(pdk_host, abi_version, 4);
PIN(pdk_host, name, 8);
PIN(pdk_host, version, 16);
PIN(pdk_host, instance, 24);
PIN(pdk_host, roles, 32);
PIN(pdk_host, reserved, 36);
PIN(pdk_host, data, 40);
PIN(pdk_host, values, 48);
PIN(pdk_host, now_ns, 56);
PIN(pdk_host, unix_ns, 64);
PIN(pdk_host, log, 72);
PIN(pdk_host, health, 80);
PIN(pdk_host, stopped, 88);
PIN(pdk_host, done, 96);
PIN(pdk_host, output, 104);
PIN(pdk_host, progress, 112);
PIN(pdk_host, ready, 120);
PIN(pdk_host, get_extension, 128);
CALL(pdk_host, now_ns, uint64_t (*)(const pdk_host *));
CALL(pdk_host, unix_ns, uint64_t (*)(const pdk_host *));
CALL(pdk_host, log, void (*)(const pdk_host *, int32_t, pdk_attempt, const char *));
CALL(pdk_host, health, void (*)(const pdk_host *, int32_t, const char *));
CALL(pdk_host, stopped, void (*)(const pdk_host *));
CALL(pdk_host, done, int32_t (*)(const pdk_host *, pdk_attempt, const pdk_result *));
CALL(pdk_host, output, int32_t (*)(const pdk_host *, pdk_attempt, int32_t, const char *, size_t));
CALL(pdk_host, progress, int32_t (*)(const pdk_host *, pdk_attempt, double, const char *));
CALL(pdk_host, ready, int32_t (*)(const pdk_host *, pdk_attempt));
CALL(pdk_host, get_extension, const void *(*)(const pdk_host *, const char *));

SIZE(pdk_metric, 56);
PIN(pdk_metric, struct_size, 0);
PIN(pdk_metric, type, 4);
PIN(pdk_metric, name, 8);
PIN(pdk_metric, unit, 16);
PIN(pdk_metric, help, 24);
PIN(pdk_metric, labels, 32);
PIN(pdk_metric, buckets, 40);
PIN(pdk_metric, bucket_count, 48);
PIN(pdk_metric, reserved, 52);

WHOLE(pdk_attribute, 40);
PIN(pdk_attribute, key, 0);
PIN(pdk_attribute, string, 8);
PIN(pdk_attribute, number, 16);
PIN(pdk_attribute, integer, 24);
PIN(pdk_attribute, type, 32);
PIN(pdk_attribute, reserved, 36);

WHOLE(pdk_moment, 32);
PIN(pdk_moment, unix_ns, 0);
PIN(pdk_moment, name, 8);
PIN(pdk_moment, attributes, 16);
PIN(pdk_moment, attribute_count, 24);
PIN(pdk_moment, reserved, 28);

SIZE(pdk_span, 128);
PIN(pdk_span, struct_size, 0);
PIN(pdk_span, kind, 4);
PIN(pdk_span, name, 8);
PIN(pdk_span, trace_id, 16);
PIN(pdk_span, span_id, 32);
PIN(pdk_span, parent_id, 40);
PIN(pdk_span, parent_is_ours, 48);
PIN(pdk_span, flags, 52);
PIN(pdk_span, trace_state, 56);
PIN(pdk_span, start_ns, 64);
PIN(pdk_span, end_ns, 72);
PIN(pdk_span, status, 80);
PIN(pdk_span, reserved, 84);
PIN(pdk_span, message, 88);
PIN(pdk_span, attributes, 96);
PIN(pdk_span, moments, 104);
PIN(pdk_span, attribute_count, 112);
PIN(pdk_span, moment_count, 116);
PIN(pdk_span, moments_lost, 120);

SIZE(pdk_metrics_ops, 64);
PIN(pdk_metrics_ops, struct_size, 0);
PIN(pdk_metrics_ops, reserved, 4);
PIN(pdk_metrics_ops, series, 8);
PIN(pdk_metrics_ops, add, 16);
PIN(pdk_metrics_ops, set, 24);
PIN(pdk_metrics_ops, observe, 32);
PIN(pdk_metrics_ops, print, 40);
PIN(pdk_metrics_ops, span, 48);
PIN(pdk_metrics_ops, sample, 56);
CALL(pdk_metrics_ops, series, pdk_series *(*)(void *, const pdk_metric *, const char *const *));
CALL(pdk_metrics_ops, add, void (*)(void *, pdk_series *, double));
CALL(pdk_metrics_ops, set, void (*)(void *, pdk_series *, double));
CALL(pdk_metrics_ops, observe, void (*)(void *, pdk_series *, double));
CALL(pdk_metrics_ops, print, int32_t (*)(void *, pdk_write, void *));
CALL(pdk_metrics_ops, span, void (*)(void *, const pdk_span *));
CALL(pdk_metrics_ops, sample, int32_t (*)(void *, const uint8_t *, int32_t));

SIZE(pdk_metrics, 48);
PIN(pdk_metrics, struct_size, 0);
PIN(pdk_metrics, reserved, 4);
PIN(pdk_metrics, data, 8);
PIN(pdk_metrics, series, 16);
PIN(pdk_metrics, add, 24);
PIN(pdk_metrics, set, 32);
PIN(pdk_metrics, observe, 40);
CALL(pdk_metrics, series, pdk_series *(*)(const pdk_metrics *, const pdk_metric *, const char *const *));
CALL(pdk_metrics, add, void (*)(const pdk_metrics *, pdk_series *, double));
CALL(pdk_metrics, set, void (*)(const pdk_metrics *, pdk_series *, double));
CALL(pdk_metrics, observe, void (*)(const pdk_metrics *, pdk_series *, double));

SIZE(pdk_task_ops, 56);
PIN(pdk_task_ops, struct_size, 0);
PIN(pdk_task_ops, reserved, 4);
PIN(pdk_task_ops, start, 8);
PIN(pdk_task_ops, cancel, 16);
PIN(pdk_task_ops, kill, 24);
PIN(pdk_task_ops, resume, 32);
PIN(pdk_task_ops, destroy, 40);
PIN(pdk_task_ops, reload, 48);
CALL(pdk_task_ops, start, int32_t (*)(void *, const pdk_start *, pdk_error *));
CALL(pdk_task_ops, cancel, void (*)(void *, int32_t));
CALL(pdk_task_ops, kill, void (*)(void *));
CALL(pdk_task_ops, resume, void (*)(void *));
CALL(pdk_task_ops, destroy, void (*)(void *));
CALL(pdk_task_ops, reload, int32_t (*)(void *));

SIZE(pdk_runner_ops, 40);
PIN(pdk_runner_ops, struct_size, 0);
PIN(pdk_runner_ops, reserved, 4);
PIN(pdk_runner_ops, kinds, 8);
PIN(pdk_runner_ops, task, 16);
PIN(pdk_runner_ops, supports, 24);
PIN(pdk_runner_ops, build_task, 32);
CALL(pdk_runner_ops, supports, int32_t (*)(void *, const pdk_spec *, pdk_error *));
CALL(pdk_runner_ops, build_task, int32_t (*)(void *, const pdk_spec *, void **, pdk_error *));

SIZE(pdk_progress, 32);
PIN(pdk_progress, struct_size, 0);
PIN(pdk_progress, phase, 4);
PIN(pdk_progress, attempt, 8);
PIN(pdk_progress, reserved, 12);
PIN(pdk_progress, fraction, 16);
PIN(pdk_progress, text, 24);

SIZE(pdk_source_ops, 48);
PIN(pdk_source_ops, struct_size, 0);
PIN(pdk_source_ops, reserved, 4);
PIN(pdk_source_ops, settled, 8);
PIN(pdk_source_ops, resume, 16);
PIN(pdk_source_ops, drain, 24);
PIN(pdk_source_ops, flush, 32);
PIN(pdk_source_ops, progress, 40);
CALL(pdk_source_ops, settled, void (*)(void *, pdk_delivery, const pdk_outcome *));
CALL(pdk_source_ops, resume, void (*)(void *));
CALL(pdk_source_ops, drain, void (*)(void *));
CALL(pdk_source_ops, flush, void (*)(void *));
CALL(pdk_source_ops, progress, void (*)(void *, pdk_delivery, const pdk_progress *));

SIZE(pdk_submission, 96);
PIN(pdk_submission, struct_size, 0);
PIN(pdk_submission, reserved, 4);
PIN(pdk_submission, delivery, 8);
PIN(pdk_submission, spec, 16);
PIN(pdk_submission, base, 24);
PIN(pdk_submission, with, 32);
PIN(pdk_submission, name, 40);
PIN(pdk_submission, slot, 48);
PIN(pdk_submission, trace, 56);
PIN(pdk_submission, deadline_ns, 64);
PIN(pdk_submission, trace_state, 72);
PIN(pdk_submission, input, 80);
PIN(pdk_submission, attributes, 88);

SIZE(pdk_source, 56);
PIN(pdk_source, struct_size, 0);
PIN(pdk_source, reserved, 4);
PIN(pdk_source, data, 8);
PIN(pdk_source, submit, 16);
PIN(pdk_source, room, 24);
PIN(pdk_source, cancel, 32);
PIN(pdk_source, prepare, 40);
PIN(pdk_source, release, 48);
CALL(pdk_source, submit, int32_t (*)(const pdk_source *, const pdk_submission *, pdk_run *, pdk_error *));
CALL(pdk_source, room, uint32_t (*)(const pdk_source *));
CALL(pdk_source, cancel, int32_t (*)(const pdk_source *, pdk_run));
CALL(pdk_source, prepare, int32_t (*)(const pdk_source *, const pdk_value *, const pdk_template **, pdk_error *));
CALL(pdk_source, release, void (*)(const pdk_source *, const pdk_template *));

SIZE(pdk_plugin, 136);
PIN(pdk_plugin, magic, 0);
PIN(pdk_plugin, abi_version, 4);
PIN(pdk_plugin, struct_size, 8);
PIN(pdk_plugin, min_host_abi, 12);
PIN(pdk_plugin, flags, 16);
PIN(pdk_plugin, reserved, 20);
PIN(pdk_plugin, name, 24);
PIN(pdk_plugin, version, 32);
PIN(pdk_plugin, author, 40);
PIN(pdk_plugin, description, 48);
PIN(pdk_plugin, needs, 56);
PIN(pdk_plugin, config, 64);
PIN(pdk_plugin, runner, 72);
PIN(pdk_plugin, source, 80);
PIN(pdk_plugin, metrics, 88);
PIN(pdk_plugin, create, 96);
PIN(pdk_plugin, start, 104);
PIN(pdk_plugin, stop, 112);
PIN(pdk_plugin, destroy, 120);
PIN(pdk_plugin, get_extension, 128);
CALL(pdk_plugin, create, int32_t (*)(const pdk_host *, const pdk_value *, void **, pdk_error *));
CALL(pdk_plugin, start, int32_t (*)(void *, pdk_error *));
CALL(pdk_plugin, stop, void (*)(void *));
CALL(pdk_plugin, destroy, void (*)(void *));
CALL(pdk_plugin, get_extension, const void *(*)(void *, const char *));

SIZE(pdk_exit, 64);
PIN(pdk_exit, struct_size, 0);
PIN(pdk_exit, exit_code, 4);
PIN(pdk_exit, signal, 8);
PIN(pdk_exit, error, 12);
PIN(pdk_exit, usage, 16);

WHOLE(pdk_call, 32);
PIN(pdk_call, run, 0);
PIN(pdk_call, arg, 8);
PIN(pdk_call, host_use, 16);
CALL(pdk_call, run, void (*)(void *));

SIZE(pdk_loop, 72);
PIN(pdk_loop, struct_size, 0);
PIN(pdk_loop, reserved, 4);
PIN(pdk_loop, data, 8);
PIN(pdk_loop, io, 16);
PIN(pdk_loop, change, 24);
PIN(pdk_loop, timer, 32);
PIN(pdk_loop, child, 40);
PIN(pdk_loop, stop, 48);
PIN(pdk_loop, post, 56);
PIN(pdk_loop, now_ns, 64);
CALL(pdk_loop, io, int32_t (*)(const pdk_loop *, int32_t, uint32_t, void (*)(void *, uint32_t), void *, pdk_watch *));
CALL(pdk_loop, change, int32_t (*)(const pdk_loop *, pdk_watch, uint32_t));
CALL(pdk_loop, timer, int32_t (*)(const pdk_loop *, uint64_t, uint64_t, void (*)(void *), void *, pdk_watch *));
CALL(pdk_loop, child,
     int32_t (*)(const pdk_loop *, int32_t, int32_t, void (*)(void *, const pdk_exit *), void *, pdk_watch *));
CALL(pdk_loop, stop, void (*)(const pdk_loop *, pdk_watch));
CALL(pdk_loop, post, void (*)(const pdk_loop *, pdk_call *));
CALL(pdk_loop, now_ns, uint64_t (*)(const pdk_loop *));

SIZE(pdk_job, 64);
PIN(pdk_job, struct_size, 0);
PIN(pdk_job, reserved, 4);
PIN(pdk_job, work, 8);
PIN(pdk_job, done, 16);
PIN(pdk_job, arg, 24);
PIN(pdk_job, host_use, 32);
CALL(pdk_job, work, void (*)(void *));
CALL(pdk_job, done, void (*)(void *, int32_t));

SIZE(pdk_pool, 32);
PIN(pdk_pool, struct_size, 0);
PIN(pdk_pool, reserved, 4);
PIN(pdk_pool, data, 8);
PIN(pdk_pool, submit, 16);
PIN(pdk_pool, cancel, 24);
CALL(pdk_pool, submit, int32_t (*)(const pdk_pool *, pdk_job *));
CALL(pdk_pool, cancel, int32_t (*)(const pdk_pool *, pdk_job *));

WHOLE(pdk_rlimit, 24);
PIN(pdk_rlimit, resource, 0);
PIN(pdk_rlimit, reserved, 4);
PIN(pdk_rlimit, soft, 8);
PIN(pdk_rlimit, hard, 16);

SIZE(pdk_command, 176);
PIN(pdk_command, struct_size, 0);
PIN(pdk_command, flags, 4);
PIN(pdk_command, program, 8);
PIN(pdk_command, argv, 16);
PIN(pdk_command, env, 24);
PIN(pdk_command, name, 32);
PIN(pdk_command, cwd_fd, 40);
PIN(pdk_command, input_fd, 44);
PIN(pdk_command, stdout_to, 48);
PIN(pdk_command, stderr_to, 52);
PIN(pdk_command, stdout_fd, 56);
PIN(pdk_command, stderr_fd, 60);
PIN(pdk_command, pass_fds, 64);
PIN(pdk_command, pass_count, 72);
PIN(pdk_command, umask, 76);
PIN(pdk_command, rlimits, 80);
PIN(pdk_command, rlimit_count, 88);
PIN(pdk_command, nice, 92);
PIN(pdk_command, io_class, 96);
PIN(pdk_command, io_level, 100);
PIN(pdk_command, oom_score, 104);
PIN(pdk_command, uid, 108);
PIN(pdk_command, gid, 112);
PIN(pdk_command, group_count, 116);
PIN(pdk_command, groups, 120);
PIN(pdk_command, seccomp, 128);
PIN(pdk_command, seccomp_count, 136);
PIN(pdk_command, drain_ms, 140);
PIN(pdk_command, capabilities, 144);
PIN(pdk_command, memory_max, 152);
PIN(pdk_command, pids_max, 160);
PIN(pdk_command, cpu_max, 168);

SIZE(pdk_child_ops, 56);
PIN(pdk_child_ops, struct_size, 0);
PIN(pdk_child_ops, reserved, 4);
PIN(pdk_child_ops, started, 8);
PIN(pdk_child_ops, failed, 16);
PIN(pdk_child_ops, output, 24);
PIN(pdk_child_ops, ended, 32);
PIN(pdk_child_ops, lost, 40);
PIN(pdk_child_ops, limited, 48);
CALL(pdk_child_ops, started, void (*)(void *, int32_t));
CALL(pdk_child_ops, failed, void (*)(void *, const pdk_error *));
CALL(pdk_child_ops, output, int32_t (*)(void *, int32_t, const char *, size_t));
CALL(pdk_child_ops, ended, void (*)(void *, const pdk_exit *));
CALL(pdk_child_ops, lost, void (*)(void *, int32_t, uint64_t));
CALL(pdk_child_ops, limited, void (*)(void *, uint32_t));

SIZE(pdk_process, 48);
PIN(pdk_process, struct_size, 0);
PIN(pdk_process, reserved, 4);
PIN(pdk_process, data, 8);
PIN(pdk_process, spawn, 16);
PIN(pdk_process, signal, 24);
PIN(pdk_process, kill, 32);
PIN(pdk_process, resume, 40);
CALL(pdk_process, spawn,
     int32_t (*)(const pdk_process *, pdk_attempt, const pdk_command *, const pdk_child_ops *, void *, pdk_child *,
                 pdk_error *));
CALL(pdk_process, signal, int32_t (*)(const pdk_process *, pdk_child, int32_t, int32_t));
CALL(pdk_process, kill, int32_t (*)(const pdk_process *, pdk_child));
CALL(pdk_process, resume, int32_t (*)(const pdk_process *, pdk_child));

SIZE(pdk_run_info, 176);
PIN(pdk_run_info, struct_size, 0);
PIN(pdk_run_info, state, 4);
PIN(pdk_run_info, run, 8);
PIN(pdk_run_info, run_id, 16);
PIN(pdk_run_info, name, 24);
PIN(pdk_run_info, kind, 32);
PIN(pdk_run_info, slot, 40);
PIN(pdk_run_info, runner, 48);
PIN(pdk_run_info, attempts, 56);
PIN(pdk_run_info, end, 60);
PIN(pdk_run_info, submitted_ns, 64);
PIN(pdk_run_info, started_ns, 72);
PIN(pdk_run_info, ended_ns, 80);
PIN(pdk_run_info, fraction, 88);
PIN(pdk_run_info, text, 96);
PIN(pdk_run_info, seq, 104);
PIN(pdk_run_info, attempt, 112);
PIN(pdk_run_info, attempt_ns, 120);
PIN(pdk_run_info, next_ns, 128);
PIN(pdk_run_info, retries, 136);
PIN(pdk_run_info, ready, 140);
PIN(pdk_run_info, paused, 144);
PIN(pdk_run_info, reason, 148);
PIN(pdk_run_info, status, 152);
PIN(pdk_run_info, category, 156);
PIN(pdk_run_info, exit_code, 160);
PIN(pdk_run_info, signal, 164);
PIN(pdk_run_info, code, 168);

SIZE(pdk_filter, 72);
PIN(pdk_filter, struct_size, 0);
PIN(pdk_filter, states, 4);
PIN(pdk_filter, run, 8);
PIN(pdk_filter, after, 16);
PIN(pdk_filter, name, 24);
PIN(pdk_filter, slot, 32);
PIN(pdk_filter, limit, 40);
PIN(pdk_filter, events, 44);
PIN(pdk_filter, run_id, 48);
PIN(pdk_filter, newest, 56);
PIN(pdk_filter, reserved, 60);
PIN(pdk_filter, below, 64);

SIZE(pdk_event, 184);
PIN(pdk_event, struct_size, 0);
PIN(pdk_event, kind, 4);
PIN(pdk_event, number, 8);
PIN(pdk_event, unix_ns, 16);
PIN(pdk_event, run, 24);
PIN(pdk_event, run_id, 32);
PIN(pdk_event, attempt, 40);
PIN(pdk_event, status, 44);
PIN(pdk_event, delay_ns, 48);
PIN(pdk_event, fraction, 56);
PIN(pdk_event, text, 64);
PIN(pdk_event, data, 72);
PIN(pdk_event, size, 80);
PIN(pdk_event, stream, 88);
PIN(pdk_event, reserved, 92);
PIN(pdk_event, category, 96);
PIN(pdk_event, exit_code, 100);
PIN(pdk_event, signal, 104);
PIN(pdk_event, truncated, 108);
PIN(pdk_event, code, 112);
PIN(pdk_event, name, 120);
PIN(pdk_event, runner, 128);
PIN(pdk_event, duration_ns, 136);
PIN(pdk_event, reason, 144);
PIN(pdk_event, timed_out, 148);
PIN(pdk_event, trace_id, 152);
PIN(pdk_event, span_id, 160);
PIN(pdk_event, slot, 168);
PIN(pdk_event, usage, 176);

SIZE(pdk_control, 176);
PIN(pdk_control, struct_size, 0);
PIN(pdk_control, reserved, 4);
PIN(pdk_control, data, 8);
PIN(pdk_control, submit, 16);
PIN(pdk_control, cancel, 24);
PIN(pdk_control, force, 32);
PIN(pdk_control, pause, 40);
PIN(pdk_control, resume, 48);
PIN(pdk_control, abandon, 56);
PIN(pdk_control, reload, 64);
PIN(pdk_control, list, 72);
PIN(pdk_control, subscribe, 80);
PIN(pdk_control, unsubscribe, 88);
PIN(pdk_control, inspect, 96);
PIN(pdk_control, pause_slot, 104);
PIN(pdk_control, resume_slot, 112);
PIN(pdk_control, describe_run, 120);
PIN(pdk_control, describe_event, 128);
PIN(pdk_control, find, 136);
PIN(pdk_control, command, 144);
PIN(pdk_control, tap, 152);
PIN(pdk_control, print_run, 160);
PIN(pdk_control, print_event, 168);
CALL(pdk_control, submit, int32_t (*)(const pdk_control *, const pdk_value *, pdk_run *, pdk_error *));
CALL(pdk_control, cancel, int32_t (*)(const pdk_control *, pdk_run, const char *));
CALL(pdk_control, force, int32_t (*)(const pdk_control *, pdk_run, const char *));
CALL(pdk_control, pause, int32_t (*)(const pdk_control *, pdk_run));
CALL(pdk_control, resume, int32_t (*)(const pdk_control *, pdk_run));
CALL(pdk_control, abandon, int32_t (*)(const pdk_control *, pdk_run));
CALL(pdk_control, reload, int32_t (*)(const pdk_control *, pdk_run));
CALL(pdk_control, list,
     int32_t (*)(const pdk_control *, const pdk_filter *, int32_t (*)(void *, const pdk_run_info *), void *));
CALL(pdk_control, subscribe,
     int32_t (*)(const pdk_control *, const pdk_filter *, void (*)(void *, const pdk_event *), void *, pdk_watch *));
CALL(pdk_control, unsubscribe, void (*)(const pdk_control *, pdk_watch));
CALL(pdk_control, inspect,
     int32_t (*)(const pdk_control *, const char *, pdk_run, const pdk_value *, const pdk_value **, pdk_error *));
CALL(pdk_control, pause_slot, int32_t (*)(const pdk_control *, const char *));
CALL(pdk_control, resume_slot, int32_t (*)(const pdk_control *, const char *));
CALL(pdk_control, describe_run, int32_t (*)(const pdk_control *, const pdk_run_info *, const pdk_value **));
CALL(pdk_control, describe_event, int32_t (*)(const pdk_control *, const pdk_event *, const pdk_value **));
CALL(pdk_control, find, const void *(*)(const pdk_control *, const char *));
CALL(pdk_control, command,
     int32_t (*)(const pdk_control *, const char *, const pdk_value *, const pdk_value **, pdk_error *));
CALL(pdk_control, tap, int32_t (*)(const pdk_control *, void (*)(void *, const pdk_event *), void *, pdk_watch *));
CALL(pdk_control, print_run, int32_t (*)(const pdk_control *, const pdk_run_info *, pdk_write, void *));
CALL(pdk_control, print_event, int32_t (*)(const pdk_control *, const pdk_event *, pdk_write, void *));

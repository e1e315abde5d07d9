/* SPDX-License-Identifier: Apache-2.0 */
/* One variable of every struct of the ABI, so that abidw sees each of them: a list made by pins.py for freeze.sh. */
#include <paddock/control.h>
#include <paddock/loop.h>
#include <paddock/plugin.h>
#include <paddock/process.h>

extern PDK_EXPORT pdk_error corpus_pdk_error;
pdk_error corpus_pdk_error;
extern PDK_EXPORT pdk_values corpus_pdk_values;
pdk_values corpus_pdk_values;
extern PDK_EXPORT pdk_param corpus_pdk_param;
pdk_param corpus_pdk_param;
extern PDK_EXPORT pdk_schema corpus_pdk_schema;
pdk_schema corpus_pdk_schema;
extern PDK_EXPORT pdk_spec corpus_pdk_spec;
pdk_spec corpus_pdk_spec;
extern PDK_EXPORT pdk_start corpus_pdk_start;
pdk_start corpus_pdk_start;
extern PDK_EXPORT pdk_usage corpus_pdk_usage;
pdk_usage corpus_pdk_usage;
extern PDK_EXPORT pdk_result corpus_pdk_result;
pdk_result corpus_pdk_result;
extern PDK_EXPORT pdk_outcome corpus_pdk_outcome;
pdk_outcome corpus_pdk_outcome;
extern PDK_EXPORT pdk_host corpus_pdk_host;
pdk_host corpus_pdk_host;
extern PDK_EXPORT pdk_metric corpus_pdk_metric;
pdk_metric corpus_pdk_metric;
extern PDK_EXPORT pdk_attribute corpus_pdk_attribute;
pdk_attribute corpus_pdk_attribute;
extern PDK_EXPORT pdk_moment corpus_pdk_moment;
pdk_moment corpus_pdk_moment;
extern PDK_EXPORT pdk_span corpus_pdk_span;
pdk_span corpus_pdk_span;
extern PDK_EXPORT pdk_metrics_ops corpus_pdk_metrics_ops;
pdk_metrics_ops corpus_pdk_metrics_ops;
extern PDK_EXPORT pdk_metrics corpus_pdk_metrics;
pdk_metrics corpus_pdk_metrics;
extern PDK_EXPORT pdk_task_ops corpus_pdk_task_ops;
pdk_task_ops corpus_pdk_task_ops;
extern PDK_EXPORT pdk_runner_ops corpus_pdk_runner_ops;
pdk_runner_ops corpus_pdk_runner_ops;
extern PDK_EXPORT pdk_progress corpus_pdk_progress;
pdk_progress corpus_pdk_progress;
extern PDK_EXPORT pdk_source_ops corpus_pdk_source_ops;
pdk_source_ops corpus_pdk_source_ops;
extern PDK_EXPORT pdk_submission corpus_pdk_submission;
pdk_submission corpus_pdk_submission;
extern PDK_EXPORT pdk_source corpus_pdk_source;
pdk_source corpus_pdk_source;
extern PDK_EXPORT pdk_plugin corpus_pdk_plugin;
pdk_plugin corpus_pdk_plugin;
extern PDK_EXPORT pdk_exit corpus_pdk_exit;
pdk_exit corpus_pdk_exit;
extern PDK_EXPORT pdk_call corpus_pdk_call;
pdk_call corpus_pdk_call;
extern PDK_EXPORT pdk_loop corpus_pdk_loop;
pdk_loop corpus_pdk_loop;
extern PDK_EXPORT pdk_job corpus_pdk_job;
pdk_job corpus_pdk_job;
extern PDK_EXPORT pdk_pool corpus_pdk_pool;
pdk_pool corpus_pdk_pool;
extern PDK_EXPORT pdk_rlimit corpus_pdk_rlimit;
pdk_rlimit corpus_pdk_rlimit;
extern PDK_EXPORT pdk_command corpus_pdk_command;
pdk_command corpus_pdk_command;
extern PDK_EXPORT pdk_child_ops corpus_pdk_child_ops;
pdk_child_ops corpus_pdk_child_ops;
extern PDK_EXPORT pdk_process corpus_pdk_process;
pdk_process corpus_pdk_process;
extern PDK_EXPORT pdk_run_info corpus_pdk_run_info;
pdk_run_info corpus_pdk_run_info;
extern PDK_EXPORT pdk_filter corpus_pdk_filter;
pdk_filter corpus_pdk_filter;
extern PDK_EXPORT pdk_event corpus_pdk_event;
pdk_event corpus_pdk_event;
extern PDK_EXPORT pdk_control corpus_pdk_control;
pdk_control corpus_pdk_control;

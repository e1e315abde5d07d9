/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin in C++: objects behind the tables, and no exception leaves a call. */
#include <new>
#include <string>

#include <paddock/helpers.h>

namespace {

struct Runner {
    const pdk_host *host;
};

class Task {
  public:
    Task(Runner &runner, const char *name) : runner_(runner), text_(name) {
        text_ += '\n';
    }

    int32_t start(const pdk_start &start) {
        runner_.host->output(runner_.host, start.attempt, PDK_STDOUT, text_.data(), text_.size());
        return pdk_succeed(runner_.host, start.attempt, nullptr);
    }

  private:
    Runner &runner_;
    std::string text_;
};

int32_t create(const pdk_host *host, const pdk_value *, void **ret, pdk_error *) {
    Runner *runner = new (std::nothrow) Runner{host};
    if (!runner) return -ENOMEM;
    *ret = runner;
    return 0;
}

void destroy(void *self) {
    delete static_cast<Runner *>(self);
}

int32_t build(void *self, const pdk_spec *spec, void **ret, pdk_error *err) try {
    *ret = new Task(*static_cast<Runner *>(self), spec->name);
    return 0;
} catch (const std::bad_alloc &) {
    return pdk_fail(err, -ENOMEM, nullptr, "out of memory", nullptr, nullptr);
}

int32_t start(void *task, const pdk_start *start, pdk_error *) {
    return static_cast<Task *>(task)->start(*start);
}

void cancel(void *, int32_t) {}

void end(void *task) {
    delete static_cast<Task *>(task);
}

const pdk_schema kind = PDK_SCHEMA("cxx", "Says its name", nullptr);
const pdk_schema *const kinds[] = {&kind, nullptr};
const pdk_task_ops task_ops = {PDK_HEAD(pdk_task_ops), start, cancel, nullptr, nullptr, end, nullptr};
const pdk_runner_ops runner_ops = {PDK_HEAD(pdk_runner_ops), kinds, &task_ops, nullptr, build};

} // namespace

const pdk_plugin pdk_plugin_entry = {PDK_PLUGIN_HEAD, "cxx",   "1",    "",      "in C++", nullptr, nullptr, &runner_ops,
                                     nullptr,         nullptr, create, nullptr, nullptr,  destroy, nullptr};

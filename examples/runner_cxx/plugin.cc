/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A runner in C++17: a task of kind `countdown` counts down on a timer of the host's loop. Alone it builds with
 *     c++ -std=c++17 -shared -fPIC -fvisibility=hidden -I include -o countdown.so examples/runner_cxx/plugin.cc \
 *         -Wl,--version-script=plugins/plugin.map
 * where the last line hides what the standard library would export beside the entry.
 *
 * What C++ has to give a plugin is that everything is let go of by itself: a timer that stops with its owner, a value
 * that is dropped with its holder, a result on every way out. What it must not do is let an exception out of a call:
 * the host is C. So each function of a table goes through `guard`, and the code behind it may throw.
 */
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include <paddock/helpers.h>
#include <paddock/loop.h>

namespace {

/* ---- what any plugin in C++ can use */

/* An error with a code and the value at fault, on its way to the guard. */
struct Fault : std::runtime_error {
    Fault(int32_t code_, const std::string &what, const pdk_value *at_ = nullptr)
        : std::runtime_error(what), code(code_), at(at_) {}
    int32_t code;
    const pdk_value *at;
};

/* Run `work`, and turn what it throws into what C understands. */
template <typename Work> int32_t guard(pdk_error *err, Work &&work) noexcept {
    try {
        work();
        return 0;
    } catch (const Fault &fault) {
        return pdk_fail(err, fault.code, fault.at, fault.what(), nullptr, nullptr);
    } catch (const std::bad_alloc &) {
        return pdk_fail(err, -ENOMEM, nullptr, "out of memory", nullptr, nullptr);
    } catch (const std::exception &other) {
        return pdk_fail(err, -EIO, nullptr, other.what(), nullptr, nullptr);
    } catch (...) {
        return pdk_fail(err, -EIO, nullptr, "something was thrown", nullptr, nullptr);
    }
}

/* A value that we own. */
class Value {
  public:
    Value(const pdk_host &host, const pdk_value *owned) noexcept : host_(&host), value_(owned) {}
    Value(Value &&other) noexcept : host_(other.host_), value_(std::exchange(other.value_, nullptr)) {}
    Value(const Value &) = delete;
    Value &operator=(const Value &) = delete;
    Value &operator=(Value &&) = delete;
    ~Value() {
        host_->values->drop(value_);
    }
    const pdk_value *get() const noexcept {
        return value_;
    }

  private:
    const pdk_host *host_;
    const pdk_value *value_;
};

/* A timer that stops with its owner. */
class Timer {
  public:
    Timer(const pdk_loop &loop, uint64_t every_ns, void (*fire)(void *), void *arg) : loop_(&loop) {
        if (int32_t rc = loop.timer(&loop, every_ns, every_ns, fire, arg, &watch_); rc < 0)
            throw Fault(rc, "no timer can be had");
    }
    Timer(const Timer &) = delete;
    Timer &operator=(const Timer &) = delete;
    ~Timer() {
        loop_->stop(loop_, watch_);
    }

  private:
    const pdk_loop *loop_;
    pdk_watch watch_ = 0;
};

/* ---- the runner */

class Countdown;

struct Runner {
    explicit Runner(const pdk_host &host_)
        : host(host_), loop(static_cast<const pdk_loop *>(host_.get_extension(&host_, PDK_LOOP_1))) {}
    const pdk_host &host;
    const pdk_loop *loop; /* nullptr where nothing is started: `paddock check` */
};

class Countdown {
  public:
    Countdown(const Runner &runner, const pdk_spec &spec) : runner_(runner) {
        pdk_error err = PDK_ERROR;
        int32_t rc = pdk_need_integer(&runner.host, spec.with, "from", &from_, &err);
        if (rc == 0) rc = pdk_need_duration(&runner.host, spec.with, "every", &every_ns_, &err);
        if (rc < 0) throw Fault(rc, err.message, err.at);
    }

    void start(const pdk_start &how) {
        timer_ = std::make_unique<Timer>(*runner_.loop, every_ns_, tick, this);
        attempt_ = how.attempt;
        left_ = from_;
    }

    void cancel() noexcept {
        if (timer_) end(PDK_CANCELED, "stopped counting", nullptr);
    }

  private:
    /* A callback is a call from C, too: nothing is thrown out of it. */
    static void tick(void *arg) noexcept {
        auto *self = static_cast<Countdown *>(arg);
        pdk_error err = PDK_ERROR;
        if (guard(&err, [&] { self->count(); }) < 0) self->end(PDK_FAILURE, err.message, nullptr);
    }

    void count() {
        const std::string line = left_ ? std::to_string(left_) + "\n" : "lift-off\n";
        runner_.host.output(&runner_.host, attempt_, PDK_STDOUT, line.data(), line.size());
        if (left_-- == 0) end(PDK_SUCCESS, nullptr, output().get());
    }

    /* {"from": 3} */
    Value output() const {
        const pdk_values &values = *runner_.host.values;
        const pdk_value *made = nullptr;
        pdk_writer *writer = values.open(&values);
        values.put_map(writer);
        values.key(writer, "from");
        values.put_int(writer, from_);
        values.end(writer);
        if (values.close(writer, &made, nullptr) < 0) throw std::bad_alloc();
        return Value(runner_.host, made);
    }

    /* The last thing that an attempt does: from `done` on it may be started again. */
    void end(int32_t status, const char *message, const pdk_value *output) noexcept {
        pdk_result result = PDK_RESULT(PDK_SUCCESS, PDK_CAT_NONE, nullptr);
        result.status = status;
        result.message = message;
        result.output = output;
        timer_.reset();
        runner_.host.done(&runner_.host, attempt_, &result);
    }

    const Runner &runner_;
    int64_t from_ = 0, left_ = 0;
    uint64_t every_ns_ = 0;
    pdk_attempt attempt_ = 0;
    std::unique_ptr<Timer> timer_;
};

/* ---- what C calls */

int32_t create(const pdk_host *host, const pdk_value *, void **ret, pdk_error *err) noexcept {
    return guard(err, [&] { *ret = new Runner(*host); });
}

void destroy(void *self) noexcept {
    delete static_cast<Runner *>(self);
}

int32_t build_task(void *self, const pdk_spec *spec, void **ret, pdk_error *err) noexcept {
    return guard(err, [&] { *ret = new Countdown(*static_cast<Runner *>(self), *spec); });
}

int32_t start(void *task, const pdk_start *how, pdk_error *err) noexcept {
    return guard(err, [&] { static_cast<Countdown *>(task)->start(*how); });
}

void cancel(void *task, int32_t) noexcept {
    static_cast<Countdown *>(task)->cancel();
}

void destroy_task(void *task) noexcept {
    delete static_cast<Countdown *>(task);
}

/* ---- the tables; C++17 has no designated initializers, so they are in the order of the headers */

const pdk_param params[] = {
    {"from", PDK_INT, 0, "3", "Where to begin", nullptr, 1, 1e6, nullptr},
    {"every", PDK_DURATION, 0, "100ms", "Time before each number", nullptr, 0.001, 86400, nullptr},
    PDK_PARAM_END,
};
const pdk_schema kind = PDK_SCHEMA("countdown", "Count down", params);
const pdk_schema *const kinds[] = {&kind, nullptr};
const char *const needs[] = {PDK_LOOP_1, nullptr};
const pdk_task_ops task_ops = {PDK_HEAD(pdk_task_ops), start, cancel, nullptr, nullptr, destroy_task, nullptr};
const pdk_runner_ops runner_ops = {PDK_HEAD(pdk_runner_ops), kinds, &task_ops, nullptr, build_task};

} // namespace

const pdk_plugin pdk_plugin_entry = {
    PDK_PLUGIN_HEAD, "countdown", "1.0",       "",      "Counts down, in C++",
    needs,           nullptr,     &runner_ops, nullptr, nullptr,
    create,          nullptr,     nullptr,     destroy, nullptr,
};

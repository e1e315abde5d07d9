/* SPDX-License-Identifier: Apache-2.0 */
/* Which traces are wanted: the samplers of OTEL_TRACES_SAMPLER. */
#include <stdlib.h>

#include "otlp.h"

#define ALL (UINT64_C(1) << 63)

static const struct {
    const char *name;
    bool by_parent, by_ratio;
    uint64_t below;
} samplers[] = {
    {"always_on", false, false, ALL},           {"always_off", false, false, 0},
    {"traceidratio", false, true, ALL},         {"parentbased_always_on", true, false, ALL},
    {"parentbased_always_off", true, false, 0}, {"parentbased_traceidratio", true, true, ALL},
};

/* "0.25"; 1 is all. */
static bool read_ratio(const char *text, uint64_t *ret) {
    char *end;
    double ratio = strtod(text, &end);
    if (end == text || *end || !(ratio >= 0 && ratio <= 1)) return false;
    *ret = ratio >= 1 ? ALL : (uint64_t)(ratio * (double)ALL);
    return true;
}

/* What is wrong is named, and another value is taken in its place. */
bool pdk_otlp_sampler_read(const char *name, const char *ratio, struct pdk_otlp_sampler *ret, const char **ret_fault) {
    size_t i = 0;
    *ret = (struct pdk_otlp_sampler){true, ALL};
    while (i < sizeof samplers / sizeof *samplers && strcmp(samplers[i].name, name) != 0) i++;
    if (i == sizeof samplers / sizeof *samplers) {
        *ret_fault = "is no sampler: parentbased_always_on is used";
        return false;
    }
    *ret = (struct pdk_otlp_sampler){samplers[i].by_parent, samplers[i].below};
    if (!samplers[i].by_ratio || !ratio || read_ratio(ratio, &ret->below)) return true;
    *ret_fault = "is not a ratio from 0 to 1: 1 is used";
    return false;
}

/* As other implementations do: the last half of an id is a number, and a trace is wanted if it is small enough. So all
 * that a trace passes through decide the same. */
static bool by_id(const struct pdk_otlp_sampler *sampler, const uint8_t *trace_id) {
    uint64_t number = 0;
    for (int i = 8; i < 16; i++) number = number << 8 | trace_id[i];
    return number >> 1 < sampler->below;
}

int32_t pdk_otlp_sample(void *data, const uint8_t *trace_id, int32_t parent) {
    const struct pdk_otlp *self = data;
    if (self->disabled || !self->signals[PDK_OTLP_TRACES].on) return -ENOTSUP;
    if (self->sampler.by_parent && parent >= 0) return parent > 0;
    return by_id(&self->sampler, trace_id);
}

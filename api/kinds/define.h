// How a kind's file defines its rules; the compiled table of kinds declares them again by the name in
// `rules:`.
#pragma once

#include "api/kinds/rules.h"

// KUBEMU_RULES(pod_rules){.validate = ...};
#define KUBEMU_RULES(name)       \
    extern const KindRules name; \
    const KindRules name

// Expressions of admission: the variables that match conditions, policies and their messages may name, and how they are
// compiled (k8s.io/apiserver/pkg/admission/plugin/cel/compile.go, composition.go).
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "api/cel/expression.h"

namespace kubemu::api::cel {

// What the expressions of one policy have in common.
struct AdmissionEnvironment {
    bool params = false;   // `params` is declared
    bool variables = true; // `variables` is declared
    TypeFields composed;   // the fields of `variables` so far
    // Types of `object`, `oldObject` and `params` when they are known; null: dyn.
    TypePtr object, old_object, params_type;
};

struct AdmissionExpression {
    std::string source;
    std::shared_ptr<const Expression> program;  // null when it could not be compiled
    std::string error;                          // why: cel-go's issues, or the type that it has
    TypePtr type;                               // dyn when it could not be compiled
    bool internal = false;                      // it was compiled, and yet no program could be made of it
};

// Which of the variables beside those of the environment an expression sees.
enum class AdmissionScope {
    plain,       // messages and audit annotations: no authorizer
    authorizer,  // conditions, variables and validations
    patches,     // mutations: the authorizer and the types Object and JSONPatch
};

// `types`: the expression must have one of these, as declared_name spells them; none: any will do.
AdmissionExpression compile_admission(const std::string& source, const AdmissionEnvironment& environment, AdmissionScope scope,
                                      std::initializer_list<std::string_view> types);

// Compiles a variable and declares it for the expressions that follow.
AdmissionExpression compile_variable(const std::string& name, const std::string& source, AdmissionEnvironment& environment);

}  // namespace kubemu::api::cel

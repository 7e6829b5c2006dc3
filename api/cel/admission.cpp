// The declared types of `request` and `namespaceObject`, and compilation against them.
#include "api/cel/admission.h"

#include <algorithm>
#include <map>

#include "api/cel/checker.h"
#include "api/cel/literals.h"

namespace kubemu::api::cel {
namespace {

TypePtr of(std::string_view name) { return simple_type(name); }

TypePtr request_type() {
    const TypePtr text = of("string"), texts = list_of(text);
    const TypePtr kind = object_of("kubernetes.GroupVersionKind", {{"group", text}, {"version", text}, {"kind", text}});
    const TypePtr resource =
        object_of("kubernetes.GroupVersionResource", {{"group", text}, {"version", text}, {"resource", text}});
    const TypePtr user = object_of("kubernetes.UserInfo",
                                   {{"username", text}, {"uid", text}, {"groups", texts}, {"extra", map_of(text, texts)}});
    return object_of("kubernetes.AdmissionRequest", {{"kind", kind},
                                                     {"resource", resource},
                                                     {"subResource", text},
                                                     {"requestKind", kind},
                                                     {"requestResource", resource},
                                                     {"requestSubResource", text},
                                                     {"name", text},
                                                     {"namespace", text},
                                                     {"operation", text},
                                                     {"userInfo", user},
                                                     {"dryRun", of("bool")},
                                                     {"options", of("dyn")}});
}

TypePtr namespace_type() {
    const TypePtr text = of("string"), texts = list_of(text), map = map_of(text, text), time = of("timestamp"), number = of("int");
    const TypePtr spec = object_of("kubernetes.NamespaceSpec", {{"finalizers", texts}});
    const TypePtr condition = object_of(
        "kubernetes.NamespaceCondition",
        {{"status", text}, {"type", text}, {"lastTransitionTime", time}, {"message", text}, {"reason", text}});
    const TypePtr status = object_of("kubernetes.NamespaceStatus", {{"conditions", list_of(condition)}, {"phase", text}});
    const TypePtr metadata = object_of("kubernetes.NamespaceMetadata", {{"name", text},
                                                                        {"generateName", text},
                                                                        {"namespace", text},
                                                                        {"labels", map},
                                                                        {"annotations", map},
                                                                        {"UID", text},
                                                                        {"creationTimestamp", time},
                                                                        {"deletionGracePeriodSeconds", number},
                                                                        {"deletionTimestamp", time},
                                                                        {"generation", number},
                                                                        {"resourceVersion", text},
                                                                        {"finalizers", texts}});
    return object_of("kubernetes.Namespace", {{"metadata", metadata}, {"spec", spec}, {"status", status}});
}

// A type whose objects expressions make.
TypePtr message_type(std::shared_ptr<const TypeFields> fields) {
    auto type = std::make_shared<Type>();
    type->name = "message";
    type->fields = std::move(fields);
    return type;
}

std::map<std::string, TypePtr> variables_of(const AdmissionEnvironment& environment, AdmissionScope scope) {
    static const TypePtr request = request_type(), space = namespace_type(), dyn = of("dyn");
    static const TypePtr authorizer = of("kubernetes.authorization.Authorizer");
    static const TypePtr object = message_type(nullptr);
    static const TypePtr patch = message_type(std::make_shared<const TypeFields>(
        TypeFields{{"op", of("string")}, {"path", of("string")}, {"from", of("string")}, {"value", of("dyn")}}));
    const auto known = [](const TypePtr& type) { return type == nullptr ? dyn : type; };
    std::map<std::string, TypePtr> variables = {{"object", known(environment.object)},
                                                {"oldObject", known(environment.old_object)},
                                                {"namespaceObject", space},
                                                {"request", request}};
    if (environment.params) variables["params"] = known(environment.params_type);
    if (environment.variables) variables["variables"] = object_of("kubernetes.variables", environment.composed);
    if (scope != AdmissionScope::plain) variables["authorizer"] = authorizer;
    if (scope == AdmissionScope::patches) {
        variables["Object"] = object;
        variables["JSONPatch"] = patch;
    }
    return variables;
}

// composition.go, convertCelTypeToDeclType: objects and opaque types are not followed.
TypePtr type_of_variable(const TypePtr& type) {
    static constexpr std::string_view kept[] = {"bool", "bytes", "double", "duration", "int", "null_type", "string", "timestamp", "uint"};
    if (type == nullptr) return of("dyn");
    if (std::find(std::begin(kept), std::end(kept), type->name) != std::end(kept)) return type;
    if (type->is("list")) return list_of(type_of_variable(type->parameters[0]));
    if (type->is("map")) return map_of(type_of_variable(type->parameters[0]), type_of_variable(type->parameters[1]));
    return of("dyn");
}

}  // namespace

AdmissionExpression compile_admission(const std::string& source, const AdmissionEnvironment& environment, AdmissionScope scope,
                                      std::initializer_list<std::string_view> types) {
    AdmissionExpression made{source, nullptr, {}, of("dyn")};
    std::vector<Issue> issues;
    std::unique_ptr<Expression> program = parse(source, issues);
    if (program != nullptr) check(*program, variables_of(environment, scope), issues);
    if (!issues.empty()) {
        made.error = "compilation failed: " + print_issues(source, issues);
        return made;
    }
    const std::string name = declared_name(*program->type);
    if (types.size() > 0 && std::find(types.begin(), types.end(), name) == types.end()) {
        std::string wanted;
        for (const std::string_view type : types) wanted += (wanted.empty() ? "" : " ") + std::string(type);
        made.error = types.size() == 1 ? "must evaluate to " + wanted : "must evaluate to one of [" + wanted + "]";
        made.error += " but got " + name;
        return made;
    }
    if (const std::string wrong = broken_pattern(*program); !wrong.empty()) {
        made.error = "program instantiation failed: " + wrong;
        made.internal = true;
        return made;
    }
    made.type = program->type;
    made.program = std::move(program);
    return made;
}

AdmissionExpression compile_variable(const std::string& name, const std::string& source, AdmissionEnvironment& environment) {
    AdmissionExpression made = compile_admission(source, environment, AdmissionScope::authorizer, {});
    environment.composed[name] = type_of_variable(made.type);
    return made;
}

}  // namespace kubemu::api::cel

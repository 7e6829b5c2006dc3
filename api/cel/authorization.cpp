// One value type of several names: each step copies the query and adds to it.
#include "api/cel/authorization.h"

#include "api/cel/function_list.h"
#include "api/values/names.h"
#include "api/values/text.h"

namespace kubemu::api::cel {
namespace {

struct Authorization {
    std::shared_ptr<const AuthorizationOracle> oracle;
    AuthorizationQuery query, request;
    AuthorizationDecision decision;
};

Value make(std::string_view type, Authorization value) {
    return Value::extended(Kind::authorization, std::move(value), "kubernetes.authorization." + std::string(type));
}

bool is(const Value& value, std::string_view type) {
    return value.kind == Kind::authorization && value.str().substr(value.str().rfind('.') + 1) == type;
}

Value path(const Arguments& a) {
    if (!is(a[0], "Authorizer") || a[1].kind != Kind::string) return no_overload();
    if (trim(a[1].str()).empty()) return Value::error("path must not be empty");
    Authorization next = a[0].as<Authorization>();
    next.query.path = a[1].str();
    return make("PathCheck", std::move(next));
}

Value group(const Arguments& a) {
    if (!is(a[0], "Authorizer") || a[1].kind != Kind::string) return no_overload();
    Authorization next = a[0].as<Authorization>();
    next.query.resource_request = true;
    next.query.group = a[1].str();
    return make("GroupCheck", std::move(next));
}

Value service_account(const Arguments& a) {
    if (!is(a[0], "Authorizer") || a[1].kind != Kind::string || a[2].kind != Kind::string) return no_overload();
    if (!check_dns1123_subdomain(a[2].str()).empty()) return Value::error("Invalid service account name");
    if (!check_dns1123_label(a[1].str()).empty()) return Value::error("Invalid service account namespace");
    Authorization next = a[0].as<Authorization>();
    next.query.account_namespace = a[1].str();
    next.query.account_name = a[2].str();
    return make("Authorizer", std::move(next));
}

Value resource(const Arguments& a) {
    if (!is(a[0], "GroupCheck") || a[1].kind != Kind::string) return no_overload();
    if (trim(a[1].str()).empty()) return Value::error("resource must not be empty");
    Authorization next = a[0].as<Authorization>();
    next.query.resource = a[1].str();
    return make("ResourceCheck", std::move(next));
}

template <std::string AuthorizationQuery::* member>
Value narrowed(const Arguments& a) {
    if (!is(a[0], "ResourceCheck") || a[1].kind != Kind::string) return no_overload();
    Authorization next = a[0].as<Authorization>();
    next.query.*member = a[1].str();
    return make("ResourceCheck", std::move(next));
}

Value check(const Arguments& a) {
    if ((!is(a[0], "PathCheck") && !is(a[0], "ResourceCheck")) || a[1].kind != Kind::string) return no_overload();
    Authorization next = a[0].as<Authorization>();
    next.query.verb = a[1].str();
    next.decision = next.oracle->decide(next.query);
    return make("Decision", std::move(next));
}

template <class Read>
Value decided(const Arguments& a, Read read) {
    return is(a[0], "Decision") ? Value::of(read(a[0].as<Authorization>().decision)) : no_overload();
}

Value allowed(const Arguments& a) {
    return decided(a, [](const AuthorizationDecision& decision) { return decision.allowed; });
}
Value errored(const Arguments& a) {
    return decided(a, [](const AuthorizationDecision& decision) { return !decision.error.empty(); });
}
Value reason(const Arguments& a) {
    return decided(a, [](const AuthorizationDecision& decision) { return decision.reason; });
}
Value error(const Arguments& a) {
    return decided(a, [](const AuthorizationDecision& decision) { return decision.error; });
}

// Paths of JSON patches (library/jsonpatch.go).
Value escape_key(const Arguments& a) {
    if (a[0].kind != Kind::string) return no_overload();
    std::string out;
    for (const char c : a[0].str()) out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    return Value::of(std::move(out));
}

}  // namespace

Value authorizer_value(std::shared_ptr<const AuthorizationOracle> oracle, AuthorizationQuery request) {
    Authorization value;
    value.oracle = std::move(oracle);
    value.request = std::move(request);
    return make("Authorizer", std::move(value));
}

Value request_resource(const Value& authorizer) {
    if (!is(authorizer, "Authorizer")) return no_overload();
    Authorization next = authorizer.as<Authorization>();
    next.query = next.request;
    return make("ResourceCheck", std::move(next));
}

std::span<const NamedFunction> authorization_functions() {
    static constexpr NamedFunction functions[] = {
        {"path", path},
        {"group", group},
        {"serviceAccount", service_account},
        {"resource", resource},
        {"subresource", narrowed<&AuthorizationQuery::subresource>},
        {"namespace", narrowed<&AuthorizationQuery::namespace_name>},
        {"name", narrowed<&AuthorizationQuery::name>},
        {"fieldSelector", narrowed<&AuthorizationQuery::field_selector>},
        {"labelSelector", narrowed<&AuthorizationQuery::label_selector>},
        {"check", check},
        {"allowed", allowed},
        {"errored", errored},
        {"reason", reason},
        {"error", error},
        {"jsonpatch.escapeKey", escape_key},
    };
    return functions;
}

}  // namespace kubemu::api::cel

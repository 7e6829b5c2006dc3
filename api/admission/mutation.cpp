// Changed objects on their way back into the request.
#include "api/admission/mutation.h"

#include <nlohmann/json.hpp>

#include "api/admission/request_words.h"
#include "api/codec/json.h"
#include "api/conversion.h"
#include "api/draft.h"
#include "api/patch/patch.h"
#include "api/schema/defaults.h"
#include "api/schema/zero.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

const TypeInfo* body_type_of(const KindSpec& kind, std::string_view subresource) {
    if (body_is_object(kind, subresource)) return kind.type;
    const SubresourceSpec* sub = kind.subresource(subresource);
    return sub->type == nullptr ? kind.type : sub->type;
}

// evanphx/json-patch: why one operation does not apply.
std::string refusal_of(const Json& operation, const Json& object) {
    const std::string op(string_at(operation, {"op"})), path(string_at(operation, {"path"})), from(string_at(operation, {"from"}));
    const std::size_t slash = path.rfind('/');
    const std::string parent = slash == std::string::npos ? "" : path.substr(0, slash);
    const std::string key = slash == std::string::npos ? path : path.substr(slash + 1);
    bool reaches = true;
    try {
        const Json& holder = object.at(Json::json_pointer(parent));
        reaches = holder.is_object() || holder.is_array();
    } catch (const std::exception&) {
        reaches = false;
    }
    if (op == "add") return "add operation does not apply: doc is missing path: " + go_quote(path) + ": missing value";
    if (op == "remove" && !reaches) return "remove operation does not apply: doc is missing path: " + go_quote(path) + ": missing value";
    if (op == "remove") return "error in remove for path: '" + path + "': unable to remove nonexistent key: " + key + ": missing value";
    if (op == "replace") return "replace operation does not apply: doc is missing " + std::string(reaches ? "key: " : "path: ") + path + ": missing value";
    if (op == "test") return "testing value " + path + " failed: test failed";
    if (op == "move" || op == "copy") return op + " operation does not apply: doc is missing from path: " + from + ": missing value";
    return "unexpected kind: " + op;
}

}  // namespace

Json object_in_version(const AdmissionRequest& request, const KindSpec& matched) {
    if (!body_is_object(request.kind, request.subresource)) return *request.object;
    Json made = convert_version(request.kind, matched, *request.object);
    made["apiVersion"] = api_version_of(matched);
    made["kind"] = std::string(matched.kind);
    return made;
}

ApiResult<bool> take_mutated(AdmissionRequest& request, const KindSpec& matched, Json object) {
    const TypeInfo* type = body_type_of(matched, request.subresource);
    const GroupVersionKind kind = body_kind(matched, request.subresource);
    std::vector<std::string> ignored;
    if (const auto conformed = conform(object, *type, kind.kind, ignored); !conformed) {
        return Status::internal(conformed.error().message);
    }
    if (body_is_object(request.kind, request.subresource)) {
        apply_defaults(object, *type);
        if (const KindRules* rules = rules_of(matched); rules->set_defaults != nullptr) {
            const HookContext hook{matched, request.namespace_name, request.subresource, request.user,
                                   request.now, request.random, request.lookup, request.dry_run};
            rules->set_defaults(object, hook);
        }
        drop_zero_values(object, *type);
        object = convert_version(matched, request.kind, std::move(object));
    }
    for (const char* member : {"kind", "apiVersion"}) {
        if (const Json* value = find(*request.object, member)) object[member] = *value;
    }
    const bool changed = object != *request.object;
    *request.object = std::move(object);
    return changed;
}

std::string carry_out(const Json& patch, Json& object) {
    for (const Json& operation : patch) {
        if (apply_json_patch(object, Json::array({operation}))) continue;
        return refusal_of(operation, object);
    }
    return {};
}

bool output_changed(const ReinvocationList& list, const AdmissionRequest& request) {
    if ((list.last_output == nullptr) != (request.object == nullptr)) return true;
    return request.object != nullptr && *list.last_output != *request.object;
}

void remember_output(ReinvocationList& list, const AdmissionRequest& request) {
    list.last_output = request.object == nullptr ? nullptr : std::make_shared<const Json>(*request.object);
}

}  // namespace kubemu::api

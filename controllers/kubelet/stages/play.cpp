// What a step does: an event, finalizers, a patch, another object, the end.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/codec/yaml.h"
#include "api/kind_registry.h"
#include "api/patch/patch.h"
#include "api/registry.h"
#include "api/values/time.h"
#include "controllers/kubelet/stages/engine.h"
#include "controllers/kubelet/stages/template_tree.h"

namespace kubemu::controllers::stages {

using api::Json;
using api::string_at;

namespace {

constexpr const char* kwok_version = "v0.7.0";  // whose Stages these are

// KWOK's NodeConditions.
Json node_conditions() {
    const auto condition = [](const char* type, const char* status, const char* reason, const char* message) {
        return Json{{"type", type}, {"status", status}, {"reason", reason}, {"message", message}};
    };
    return Json::array(
        {condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
         condition("MemoryPressure", "False", "KubeletHasSufficientMemory",
                   "kubelet has sufficient memory available"),
         condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
         condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
         condition("NetworkUnavailable", "False", "RouteCreated", "RouteController created a route")});
}

// The result of a template as a document.
api::ApiResult<Json> rendered(const Template& text, const Json& object, const TemplateFunctions& functions) {
    const auto made = text.render(object, functions);
    if (!made) return api::Status::bad_request(made.error());
    auto document = api::parse_yaml(made->text);
    if (!document) return api::Status::bad_request(document.error().message);
    return std::move(*document);
}

Json under_root(const std::string& root, Json patch, bool operations) {
    if (root.empty()) return patch;
    if (!operations) return Json{{root, std::move(patch)}};
    if (!patch.is_array()) return patch;
    for (Json& each : patch)
        if (each.is_object()) each["path"] = "/" + root + std::string(string_at(each, {"path"}));
    return patch;
}

api::ApiResult<bool> patched(Json& document, const std::string& type, Json patch, const api::KindSpec& kind) {
    if (type == "json") return api::apply_json_patch(document, patch);
    const bool strategic =
        type == "strategic" || (type.empty() && (kind.resource == "pods" || kind.resource == "nodes"));
    if (!patch.is_object()) return api::Status::bad_request("the template makes no object");
    if (strategic && kind.custom == nullptr)
        return api::apply_strategic_merge_patch(document, patch, *kind.type);
    api::apply_merge_patch(document, patch);
    return true;
}

}  // namespace

TemplateFunctions StageEngine::functions_for(const Json& object) {
    using Arguments = std::vector<Json>;
    using Value = Result<Json, std::string>;
    const auto text = [](const Arguments& arguments, std::size_t i) {
        return i < arguments.size() && arguments[i].is_string() ? arguments[i].get<std::string>()
                                                                : std::string();
    };
    const bool is_node = string_at(object, {"kind"}) == "Node";
    const std::string node(is_node ? api::name_of(object) : string_at(object, {"spec", "nodeName"}));
    const std::string time = api::format_time(now());
    const auto address = [this, &object](const Arguments& arguments, const std::string& of_node) {
        const bool host = (arguments.size() > 1 && template_truth(arguments[1])) ||
                          api::bool_at(object, {"spec", "hostNetwork"});
        return host ? options_.node_ip(of_node) : pod_ip(object);
    };
    TemplateFunctions functions;
    functions["Now"] = [time](const Arguments&) -> Value { return Json(time); };
    functions["now"] = functions["Now"];
    functions["StartTime"] = functions["Now"];
    functions["Version"] = [](const Arguments&) -> Value { return Json(kwok_version); };
    functions["NodeConditions"] = [](const Arguments&) -> Value { return node_conditions(); };
    functions["NodeName"] = [node](const Arguments&) -> Value { return Json(node); };
    functions["NodePort"] = [](const Arguments&) -> Value { return Json(10250); };
    functions["NodeIP"] = [this, node](const Arguments&) -> Value { return Json(options_.node_ip(node)); };
    functions["NodeIPWith"] = [this, text](const Arguments& arguments) -> Value {
        return Json(options_.node_ip(text(arguments, 0)));
    };
    functions["NodeIPsWith"] = [this, text](const Arguments& arguments) -> Value {
        return Json::array({options_.node_ip(text(arguments, 0))});
    };
    functions["PodIP"] = [address, node](const Arguments&) -> Value { return Json(address({}, node)); };
    functions["PodIPWith"] = [address, text](const Arguments& arguments) -> Value {
        return Json(address(arguments, text(arguments, 0)));
    };
    functions["PodIPsWith"] = [address, text](const Arguments& arguments) -> Value {
        return Json::array({address(arguments, text(arguments, 0))});
    };
    functions["randInt"] = [this](const Arguments& arguments) -> Value {
        const auto number = [&](std::size_t i) {
            return i < arguments.size() && arguments[i].is_number() ? arguments[i].get<std::int64_t>() : 0;
        };
        const std::int64_t least = number(0), most = number(1);
        if (most <= least) return std::string("randInt: there is no number between");
        return Json(least + static_cast<std::int64_t>(options_.manager.random().below(
                                "stage", static_cast<std::uint64_t>(most - least))));
    };
    functions["uuidv4"] = [this](const Arguments&) -> Value {
        return Json(options_.manager.random().uuid("stage"));
    };
    return functions;
}

// The address that the pod has, or gets and keeps.
std::string StageEngine::pod_ip(const Json& pod) {
    if (const auto known = string_at(pod, {"status", "podIP"}); !known.empty()) return std::string(known);
    const std::string uid(api::uid_of(pod)), node(string_at(pod, {"spec", "nodeName"}));
    const auto found = pod_ips_.find(uid);
    if (found != pod_ips_.end()) return found->second;
    return pod_ips_.emplace(uid, options_.take_ip(node)).first->second;
}

api::Client StageEngine::client_of(const StageStep::Patch& patch) const {
    if (patch.user.empty()) return options_.client;
    api::User user = api::administrator();
    user.name = user.uid = patch.user;
    return api::Client(options_.manager.registry(), user, "kwok");
}

api::ApiResult<bool> StageEngine::play_step(const api::KindSpec& kind, const Json& object,
                                            const StageStep& step) {
    if (step.event) {
        const Json about = {
            {"apiVersion", object["apiVersion"]}, {"kind", object["kind"]}, {"metadata", object["metadata"]}};
        if (step.event->warning)
            events_.warning(about, step.event->reason, step.event->message);
        else
            events_.normal(about, step.event->reason, step.event->message);
    }
    if (step.finalizers) TRY(change_finalizers(kind, object, *step.finalizers));
    if (step.remove) {
        api::DeleteOptions options;
        options.grace_period_seconds = 0;
        options.precondition_uid = api::uid_of(object);
        TRY(options_.client.remove(kind, api::namespace_of(object), api::name_of(object), options));
        return true;
    }
    if (step.patch) TRY(patch(kind, object, *step.patch));
    if (step.applies) TRY(apply(object, *step.applies));
    return true;
}

api::ApiResult<bool> StageEngine::patch(const api::KindSpec& kind, const Json& object,
                                        const StageStep::Patch& patch) {
    TRY_ASSIGN(Json made, rendered(*patch.text, object, functions_for(object)));
    made = under_root(patch.root, std::move(made), patch.type == "json");
    api::ApiResult<bool> applied = true;
    api::Client client = client_of(patch);
    const auto written = client.modify(kind, api::namespace_of(object), api::name_of(object),
                                       patch.subresource, [&](Json& document) {
                                           if (api::uid_of(document) != api::uid_of(object)) return false;
                                           applied = patched(document, patch.type, made, kind);
                                           return applied && *applied;
                                       });
    TRY(applied);
    if (!written) return written.error();
    return true;
}

api::ApiResult<bool> StageEngine::apply(const Json& object, const StageStep::Patch& patch) {
    TRY_ASSIGN(Json made, rendered(*patch.text, object, functions_for(object)));
    const std::string version(string_at(made, {"apiVersion"})), kind_name(string_at(made, {"kind"}));
    const std::size_t slash = version.find('/');
    const api::KindSpec* kind = options_.manager.registry().kinds().by_kind(
        slash == std::string::npos ? "" : version.substr(0, slash),
        slash == std::string::npos ? version : version.substr(slash + 1), kind_name);
    if (kind == nullptr)
        return api::Status::bad_request("no matches for kind \"" + kind_name + "\" in version \"" + version +
                                        "\"");
    std::string space(api::namespace_of(made));
    if (kind->namespaced && space.empty()) space = api::namespace_of(object);
    if (kind->namespaced) made["metadata"]["namespace"] = space;
    const std::string name(api::name_of(made));
    api::Client client = client_of(patch);
    if (patch.subresource.empty()) {
        const auto created = client.create(*kind, space, made);
        if (created) return true;
        if (created.error().code() != 409 || name.empty()) return created.error();
    }
    if (patch.subresource.empty() && (patch.type.empty() || patch.type == "apply")) {
        TRY(client.apply(*kind, space, std::move(made), "kwok"));
        return true;
    }
    const std::string type = patch.type == "apply" ? "merge" : patch.type;
    api::ApiResult<bool> applied = true;
    const auto written = client.modify(*kind, space, name, patch.subresource, [&](Json& document) {
        applied = patched(document, type, made, *kind);
        return applied && *applied;
    });
    TRY(applied);
    if (!written) return written.error();
    return true;
}

api::ApiResult<bool> StageEngine::change_finalizers(const api::KindSpec& kind, const Json& object,
                                                    const StageStep::Finalizers& finalizers) {
    const auto written = options_.client.modify(
        kind, api::namespace_of(object), api::name_of(object), {}, [&](Json& document) {
            if (api::uid_of(document) != api::uid_of(object)) return false;
            std::vector<std::string> list;
            if (!finalizers.empty) {
                for (const Json& each : api::array_at(document, {"metadata", "finalizers"})) {
                    const std::string value = each.is_string() ? each.get<std::string>() : std::string();
                    if (std::find(finalizers.remove.begin(), finalizers.remove.end(), value) ==
                        finalizers.remove.end())
                        list.push_back(value);
                }
            }
            for (const std::string& each : finalizers.add)
                if (std::find(list.begin(), list.end(), each) == list.end()) list.push_back(each);
            if (list.empty())
                api::erase(document["metadata"], "finalizers");
            else
                document["metadata"]["finalizers"] = list;
            return true;
        });
    if (!written) return written.error();
    return true;
}

}  // namespace kubemu::controllers::stages

// LimitRanger: defaults and bounds that a namespace sets for containers, pods and claims
// (plugin/admission/limitranger).
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <cstdio>

#include "api/admission/chain.h"
#include "api/values/quantity.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

std::optional<Quantity> quantity_at(const Json& object, std::string_view member) {
    const Json* value = find(object, member);
    if (value == nullptr || !value->is_string()) return std::nullopt;
    return Quantity::parse(value->get_ref<const std::string&>());
}

std::vector<Json> limit_ranges(const AdmissionRequest& request) {
    std::vector<Json> found;
    for (const storage::RecordPtr& record : request.lookup.list("limitranges", request.namespace_name)) {
        found.push_back(request.lookup.document(*record));
    }
    return found;
}

void default_container(Json& container, const Json& item, std::string& requests_note, std::string& limits_note) {
    const auto fill = [&](const Json& defaults, const char* into, std::string& note) {
        for (const auto& [resource, quantity] : defaults.items()) {
            Json& resources = ensure(container, {"resources", into});
            if (resources.contains(resource)) continue;
            resources[resource] = quantity;
            note += (note.empty() ? "" : ", ") + resource;
        }
    };
    fill(object_at(item, {"default"}), "limits", limits_note);
    fill(object_at(item, {"defaultRequest"}), "requests", requests_note);
}

// The complaints of one object against one item; `scope` is Container, Pod or PersistentVolumeClaim.
class Bounds {
  public:
    Bounds(const Json& item, std::string_view scope, std::vector<std::string>& complaints)
        : item_(item), scope_(scope), complaints_(complaints) {}

    void check(const Json& requests, const Json& limits) {
        for (const auto& [resource, bound] : object_at(item_, {"min"}).items())
            check_min(resource, bound, requests, limits);
        for (const auto& [resource, bound] : object_at(item_, {"max"}).items())
            check_max(resource, bound, requests, limits);
        for (const auto& [resource, bound] : object_at(item_, {"maxLimitRequestRatio"}).items()) {
            check_ratio(resource, bound, requests, limits);
        }
    }

  private:
    void complain(const std::string& rule, const std::string& why) { complaints_.push_back(rule + why); }
    std::string usage(std::string_view bound, const std::string& resource) const {
        return std::string(bound) + " " + resource + " usage per " + std::string(scope_) + " is ";
    }

    void check_min(const std::string& resource, const Json& bound, const Json& requests, const Json& limits) {
        const auto minimum = bound.is_string() ? Quantity::parse(bound.get<std::string>()) : std::nullopt;
        if (!minimum) return;
        const auto request = quantity_at(requests, resource);
        const auto limit = quantity_at(limits, resource);
        const std::string rule = usage("minimum", resource) + minimum->text();
        if (!request) return complain(rule, ".  No request is specified");
        if (*request < *minimum) return complain(rule, ", but request is " + request->text());
        if (limit && *limit < *minimum) complain(rule, ", but limit is " + limit->text());
    }

    void check_max(const std::string& resource, const Json& bound, const Json& requests, const Json& limits) {
        const auto maximum = bound.is_string() ? Quantity::parse(bound.get<std::string>()) : std::nullopt;
        if (!maximum) return;
        const auto request = quantity_at(requests, resource);
        const auto limit = quantity_at(limits, resource);
        const std::string rule = usage("maximum", resource) + maximum->text();
        if (scope_ == "PersistentVolumeClaim") {
            // Limits of claims are nobody's wish.
            if (!request) return complain(rule, ".  No request is specified");
            if (*maximum < *request) complain(rule, ", but request is " + request->text());
            return;
        }
        if (!limit) return complain(rule, ".  No limit is specified");
        if (*maximum < *limit) return complain(rule, ", but limit is " + limit->text());
        if (request && *maximum < *request) complain(rule, ", but request is " + request->text());
    }

    void check_ratio(const std::string& resource, const Json& bound, const Json& requests, const Json& limits) {
        const auto ratio = bound.is_string() ? Quantity::parse(bound.get<std::string>()) : std::nullopt;
        if (!ratio) return;
        const auto request = quantity_at(requests, resource);
        const auto limit = quantity_at(limits, resource);
        const std::string rule =
            resource + " max limit to request ratio per " + std::string(scope_) + " is " + ratio->text();
        if (!request || request->is_zero()) return complain(rule, ", but no request is specified or request is 0");
        if (!limit || limit->is_zero()) return complain(rule, ", but no limit is specified or limit is 0");
        const double actual = static_cast<double>(limit->milli_value()) / static_cast<double>(request->milli_value());
        if (actual * 1000 > static_cast<double>(ratio->milli_value())) {
            char text[64];
            std::snprintf(text, sizeof text, "%.6f", actual);
            complain(rule, ", but provided ratio is " + std::string(text));
        }
    }

    const Json& item_;
    std::string_view scope_;
    std::vector<std::string>& complaints_;
};

using Totals = std::map<std::string, Quantity>;

Totals quantities(const Json& container, const char* which) {
    Totals totals;
    for (const auto& [resource, text] : object_at(container, {"resources", which}).items()) {
        const auto quantity = text.is_string() ? Quantity::parse(text.get<std::string>()) : std::nullopt;
        if (quantity) totals.emplace(resource, *quantity);
    }
    return totals;
}

void add(Totals& totals, const Totals& more) {
    for (const auto& [resource, quantity] : more) {
        const auto [at, added] = totals.emplace(resource, quantity);
        if (!added) at->second += quantity;
    }
}

// What the whole pod asks for: its containers and sidecars together, or the moment of its start that asks for more.
Json pod_total(const Json& spec, const char* which) {
    Totals sum, sidecars;
    std::vector<Totals> moments;
    for (const Json& container : array_at(spec, {"containers"})) add(sum, quantities(container, which));
    for (const Json& container : array_at(spec, {"initContainers"})) {
        const Totals own = quantities(container, which);
        if (string_at(container, {"restartPolicy"}) == "Always") {
            add(sum, own);
            add(sidecars, own);
            moments.push_back(sidecars);
        } else {
            moments.push_back(own);
            add(moments.back(), sidecars);
        }
    }
    for (const Totals& moment : moments) {
        for (const auto& [resource, quantity] : moment) {
            const auto [at, added] = sum.emplace(resource, quantity);
            if (!added && at->second < quantity) at->second = quantity;
        }
    }
    // What is said of the pod as a whole counts instead.
    for (const auto& [resource, text] : object_at(spec, {"resources", which}).items()) {
        const auto quantity = text.is_string() ? Quantity::parse(text.get<std::string>()) : std::nullopt;
        if (quantity && (resource == "cpu" || resource == "memory")) sum[resource] = *quantity;
    }
    Json total = Json::object();
    for (const auto& [resource, quantity] : sum) total[resource] = quantity.text();
    return total;
}

Status refused(const AdmissionRequest& request, const std::vector<std::string>& complaints) {
    if (complaints.size() == 1) return request.forbidden(complaints[0]);
    return request.forbidden("[" + join(complaints, ", ") + "]");
}

}  // namespace

ApiResult<bool> limit_ranger_mutate(AdmissionRequest& request) {
    if (!request.creates("pods")) return true;
    Json& spec = ensure(*request.object, {"spec"});
    for (const Json& range : limit_ranges(request)) {
        std::vector<std::string> notes;
        for (const auto& [list, what] :
             {std::pair("containers", "container "), std::pair("initContainers", "init container ")}) {
            Json* containers = find(spec, list);
            if (containers == nullptr || !containers->is_array()) continue;
            for (Json& container : *containers) {
                const std::string about = what + std::string(string_at(container, {"name"}));
                std::string requests, limits;
                for (const Json& item : array_at(range, {"spec", "limits"})) {
                    if (string_at(item, {"type"}) == "Container") default_container(container, item, requests, limits);
                }
                if (!requests.empty()) notes.push_back(requests + " request for " + about);
                if (!limits.empty()) notes.push_back(limits + " limit for " + about);
            }
        }
        if (notes.empty()) continue;
        ensure(*request.object, {"metadata", "annotations"})["kubernetes.io/limit-ranger"] =
            "LimitRanger plugin set: " + join(notes, "; ");
    }
    return true;
}

ApiResult<bool> limit_ranger_validate(AdmissionRequest& request) {
    const bool resized = request.is("pods") && request.subresource == "resize";
    const bool pod = request.creates("pods") || resized;
    const bool claim = request.is("persistentvolumeclaims") && request.subresource.empty() && request.object != nullptr;
    if (!pod && !claim) return true;
    if (request.old != nullptr && find(*request.old, {"metadata", "deletionTimestamp"}) != nullptr) return true;
    const Json& spec = object_at(*request.object, {"spec"});
    for (const Json& range : limit_ranges(request)) {
        std::vector<std::string> complaints;
        for (const Json& item : array_at(range, {"spec", "limits"})) {
            const std::string_view type = string_at(item, {"type"});
            Bounds bounds(item, type, complaints);
            if (claim && type == "PersistentVolumeClaim") {
                bounds.check(object_at(spec, {"resources", "requests"}), Json::object());
            }
            if (pod && type == "Container") {
                for (const char* list : {"containers", "initContainers"}) {
                    for (const Json& container : array_at(spec, {list})) {
                        bounds.check(object_at(container, {"resources", "requests"}),
                                     object_at(container, {"resources", "limits"}));
                    }
                }
            }
            if (pod && type == "Pod") bounds.check(pod_total(spec, "requests"), pod_total(spec, "limits"));
        }
        if (!complaints.empty()) return refused(request, complaints);
    }
    return true;
}

}  // namespace kubemu::api

// From documents to requests and classes.
#include "controllers/scheduler/devices/request.h"

#include <nlohmann/json.hpp>

#include "api/values/time.h"

namespace kubemu::controllers::scheduler::devices {

using api::Json;
using api::string_at;

namespace {

std::vector<std::string> read_selectors(const Json& list) {
    std::vector<std::string> selectors;
    for (const Json& selector : list) selectors.emplace_back(string_at(selector, {"cel", "expression"}));
    return selectors;
}

Request read_wish(const Json& document, std::string parent, std::string name) {
    Request request;
    request.parent = std::move(parent);
    request.name = std::move(name);
    request.class_name = string_at(document, {"deviceClassName"});
    request.mode = string_at(document, {"allocationMode"});
    request.all = request.mode == "All";
    request.count = api::int_at(document, {"count"});
    request.admin = api::bool_at(document, {"adminAccess"});
    request.selectors = read_selectors(api::array_at(document, {"selectors"}));
    for (const Json& toleration : api::array_at(document, {"tolerations"})) {
        request.tolerations.push_back(
            {std::string(string_at(toleration, {"key"})), std::string(string_at(toleration, {"operator"})),
             std::string(string_at(toleration, {"value"})), std::string(string_at(toleration, {"effect"}))});
    }
    if (const Json* tolerations = api::find(document, "tolerations"))
        request.tolerations_document = std::make_shared<const Json>(*tolerations);
    request.capacity = read_amounts(api::object_at(document, {"capacity", "requests"}));
    return request;
}

}  // namespace

ClassPtr read_class(const Json& document) {
    auto made = std::make_shared<Class>();
    made->name = api::name_of(document);
    made->selectors = read_selectors(api::array_at(document, {"spec", "selectors"}));
    made->config = std::make_shared<const Json>(api::array_at(document, {"spec", "config"}));
    made->extended_resource = string_at(document, {"spec", "extendedResourceName"});
    if (const auto created = api::parse_time(string_at(document, {"metadata", "creationTimestamp"})))
        made->created = *created;
    return made;
}

std::vector<Request> read_request(const Json& document) {
    const std::string name(string_at(document, {"name"}));
    if (const Json* exactly = api::find(document, "exactly")) return {read_wish(*exactly, {}, name)};
    std::vector<Request> alternatives;
    for (const Json& alternative : api::array_at(document, {"firstAvailable"}))
        alternatives.push_back(read_wish(alternative, name, std::string(string_at(alternative, {"name"}))));
    return alternatives;
}

}  // namespace kubemu::controllers::scheduler::devices

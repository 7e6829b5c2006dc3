// Names of APIServices (kube-aggregator pkg/apis/apiregistration/validation) and of CustomResourceDefinitions
// (apiextensions-apiserver pkg/apis/apiextensions/validation).
#include "api/kinds/own_names.h"

#include <nlohmann/json.hpp>

#include "api/values/text.h"

namespace kubemu::api {

Messages check_own_name(const KindSpec& kind, const Json& object, std::string_view name, const Messages& before) {
    const Json& spec = object_at(object, {"spec"});
    const std::string group(string_at(spec, {"group"}));
    if (kind.resource == "apiservices.apiregistration.k8s.io") {
        const std::string wanted = std::string(string_at(spec, {"version"})) + "." + group;
        if (name == wanted || !before.empty()) return {};
        return {"must be `spec.version+\".\"+spec.group`: " + go_quote(wanted)};
    }
    if (kind.resource == "customresourcedefinitions.apiextensions.k8s.io") {
        if (name == std::string(string_at(spec, {"names", "plural"})) + "." + group) return {};
        return {"must be spec.names.plural+\".\"+spec.group"};
    }
    return {};
}

}  // namespace kubemu::api

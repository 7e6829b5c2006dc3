// Accept and Content-Type.
#include "api/negotiate.h"

#include <cstdlib>
#include <string>

#include "api/values/text.h"

namespace kubemu::api {
namespace {

struct Offer {
    std::string type;
    AnswerForm form;
    double quality = 1;
    bool usable = true;
};

Offer parse_offer(std::string_view text) {
    Offer offer;
    std::string as, group, version;
    bool first = true;
    for (std::string_view part : split(text, ';')) {
        part = trim(part);
        if (first) {
            offer.type = lower(part);
            first = false;
            continue;
        }
        const std::size_t equals = part.find('=');
        const std::string name = lower(trim(part.substr(0, equals)));
        const std::string_view value = equals == std::string_view::npos ? std::string_view() : trim(part.substr(equals + 1));
        if (name == "q") offer.quality = std::atof(std::string(value).c_str());
        if (name == "as") as = value;
        if (name == "g") group = value;
        if (name == "v") version = value;
    }
    if (as.empty()) return offer;
    if (group == "meta.k8s.io" && (version == "v1" || version == "v1beta1")) {
        if (as == "Table") offer.form.as = AnswerForm::As::table;
        else if (as == "PartialObjectMetadata" || as == "PartialObjectMetadataList") offer.form.as = AnswerForm::As::partial;
        else offer.usable = false;
    } else if (group == "apidiscovery.k8s.io" && as == "APIGroupDiscoveryList" && (version == "v2" || version == "v2beta1")) {
        offer.form.discovery_version = version == "v2" ? "v2" : "v2beta1";
    } else {
        offer.usable = false;
    }
    return offer;
}

constexpr const char* not_acceptable_text =
    "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf";

}  // namespace

ApiResult<AnswerForm> negotiate(std::string_view accept) {
    if (trim(accept).empty()) return AnswerForm{};
    const Offer* best = nullptr;
    std::vector<Offer> offers;
    for (const std::string_view part : split(accept, ',')) {
        if (!trim(part).empty()) offers.push_back(parse_offer(part));
    }
    for (Offer& offer : offers) {
        const bool json = offer.type == "application/json" || offer.type == "*/*" || offer.type == "application/*";
        const bool yaml = offer.type == "application/yaml";
        if (!offer.usable || offer.quality <= 0 || (!json && !yaml)) continue;
        offer.form.yaml = yaml;
        if (best == nullptr || offer.quality > best->quality) best = &offer;
    }
    if (best == nullptr) return Status::not_acceptable(not_acceptable_text);
    return best->form;
}

ApiResult<BodyForm> body_form(std::string_view content_type) {
    const std::string type = lower(trim(content_type.substr(0, content_type.find(';'))));
    if (type.empty() || type == "application/json") return BodyForm::json;
    if (type == "application/yaml") return BodyForm::yaml;
    if (type == "application/vnd.kubernetes.protobuf") return BodyForm::protobuf;
    return Status::unsupported_media_type(
        "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, "
        "application/vnd.kubernetes.protobuf");
}

}  // namespace kubemu::api

// Accept and Content-Type.
#include "api/negotiate.h"

#include <algorithm>
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

// The form that a group, version and kind in parameters asks for. False when there is none.
bool take_conversion(AnswerForm& form, std::string_view group, std::string_view version, std::string_view as,
                     bool tables) {
    if (group == "meta.k8s.io" && (version == "v1" || version == "v1beta1")) {
        form.meta_version = version == "v1" ? "v1" : "v1beta1";
        if (as == "Table" && tables) form.as = AnswerForm::As::table;
        else if (as == "PartialObjectMetadata") form.as = AnswerForm::As::partial;
        else if (as == "PartialObjectMetadataList") form.as = AnswerForm::As::partial_list;
        else return false;
        return true;
    }
    if (group == "apidiscovery.k8s.io" && as == "APIGroupDiscoveryList" && (version == "v2" || version == "v2beta1")) {
        form.discovery_version = version == "v2" ? "v2" : "v2beta1";
        return true;
    }
    return false;
}

Offer parse_offer(std::string_view text, bool tables) {
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
    if (!as.empty()) offer.usable = take_conversion(offer.form, group, version, as, tables);
    return offer;
}

constexpr const char* not_acceptable_text =
    "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf";

}  // namespace

ApiResult<AnswerForm> negotiate(std::string_view accept, bool tables) {
    if (trim(accept).empty()) return AnswerForm{};
    std::vector<Offer> offers;
    for (const std::string_view part : split(accept, ',')) {
        if (!trim(part).empty()) offers.push_back(parse_offer(part, tables));
    }
    const Offer* best = nullptr;
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

ApiResult<bool> check_accept(std::string_view accept, std::string_view produced, bool bodiless_write) {
    if (accept.empty()) return true;
    const auto types = split(produced, ',');
    for (const std::string_view part : split(accept, ',')) {
        const std::string_view type = trim(part.substr(0, part.find(';')));
        if (type == "*/*") return true;
        if (std::any_of(types.begin(), types.end(), [&](std::string_view known) { return trim(known) == type; })) return true;
    }
    const std::string available = "\n\nAvailable representations: " + std::string(produced);
    if (bodiless_write) return Status::server_response(415, "415: Unsupported Media Type" + available);
    return Status::server_response(406, "406: Not Acceptable" + available);
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

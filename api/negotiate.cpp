// Accept and Content-Type.
#include "api/negotiate.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "api/values/text.h"

namespace kubemu::api {
namespace {

struct Clause {
    std::string_view type, subtype;
    double quality = 1;
    std::map<std::string_view, std::string_view> parameters{};

    bool matches(std::string_view wanted_subtype) const {
        if (type == "*") return subtype == "*";
        return type == "application" && (subtype == "*" || subtype == wanted_subtype);
    }
};

std::string_view without_blanks(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

// What is no number is 0.
double quality_of(std::string_view text) {
    if (!text.empty() && text[0] == '+') text.remove_prefix(1);
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() ? value : 0;
}

// False for a clause that names no type.
bool read_clause(std::string_view text, Clause& clause) {
    const std::size_t semicolon = text.find(';');
    const std::string_view type = text.substr(0, semicolon);
    const std::size_t slash = type.find('/');
    clause.type = without_blanks(type.substr(0, slash));
    const std::string_view subtype = slash == std::string_view::npos ? std::string_view() : type.substr(slash + 1);
    if (subtype.empty()) {
        if (clause.type != "*") return false;
        clause.subtype = "*";
    } else {
        if (const std::size_t more = subtype.find('/'); more != std::string_view::npos && more + 1 < subtype.size())
            return false;
        clause.subtype = without_blanks(subtype.substr(0, subtype.find('/')));
    }
    if (semicolon == std::string_view::npos) return true;
    for (const std::string_view part : split(text.substr(semicolon + 1), ';')) {
        const std::size_t equals = part.find('=');
        if (equals == std::string_view::npos || equals + 1 == part.size()) continue;
        const std::string_view value = part.substr(equals + 1);
        if (const std::size_t second = value.find('='); second != std::string_view::npos && second + 1 < value.size())
            continue;
        const std::string_view name = without_blanks(part.substr(0, equals));
        if (name == "q") clause.quality = quality_of(value.substr(0, value.find('=')));
        else clause.parameters[name] = without_blanks(value.substr(0, value.find('=')));
    }
    return true;
}

bool goes_before(const Clause& a, const Clause& b) {
    if (a.quality > b.quality) return true;
    return (a.type != "*" && b.type == "*") || (a.subtype != "*" && b.subtype == "*");
}

// That order is none in the mathematical sense, so what comes of it depends on how one sorts: by insertion, as Go does
// with so few.
std::vector<Clause> read_clauses(std::string_view accept) {
    std::vector<Clause> clauses;
    for (const std::string_view part : split(accept, ',')) {
        Clause clause;
        if (!read_clause(without_blanks(part), clause)) continue;
        clauses.push_back(std::move(clause));
        for (std::size_t i = clauses.size() - 1; i > 0 && goes_before(clauses[i], clauses[i - 1]); --i) {
            std::swap(clauses[i], clauses[i - 1]);
        }
    }
    return clauses;
}

// The form that a group, version and kind in parameters ask for. False when the endpoint has none such.
bool take_conversion(AnswerForm& form, std::string_view group, std::string_view version, std::string_view as,
                     const Endpoint& endpoint) {
    if (endpoint.transforms == Endpoint::Transforms::discovery) {
        if (group != "apidiscovery.k8s.io" || as != "APIGroupDiscoveryList") return false;
        if (version != "v2" && version != "v2beta1") return false;
        form.discovery_version = version == "v2" ? "v2" : "v2beta1";
        return true;
    }
    if (endpoint.transforms == Endpoint::Transforms::none || group != "meta.k8s.io") return false;
    if (version != "v1" && version != "v1beta1") return false;
    form.meta_version = version == "v1" ? "v1" : "v1beta1";
    if (as == "Table") {
        form.as = AnswerForm::As::table;
        return endpoint.tables && form.encoding != Encoding::protobuf;
    }
    if (as == "PartialObjectMetadata") form.as = AnswerForm::As::partial;
    else if (as == "PartialObjectMetadataList") form.as = AnswerForm::As::partial_list;
    else return false;
    return true;
}

// Whether the endpoint can answer in this encoding what the clause asks for, which is then in `form`.
bool acceptable(const Clause& clause, const Endpoint& endpoint, AnswerForm& form) {
    std::string_view as, group, version;
    bool converts = false;
    for (const auto& [name, value] : clause.parameters) {
        if (name == "as" || name == "g" || name == "v") {
            (name == "as" ? as : name == "g" ? group : version) = value;
            converts = true;
        } else if (name == "stream") {
            if (!value.empty() && (form.encoding == Encoding::yaml || value != "watch")) return false;
        } else if (name == "sv") {
            if (!value.empty() && (endpoint.transforms != Endpoint::Transforms::meta || value != "v1")) return false;
        } else if (name == "pretty") {
            form.pretty = value == "1";
        }
    }
    if (converts) return take_conversion(form, group, version, as, endpoint);
    if (endpoint.transforms == Endpoint::Transforms::discovery) return false;
    return form.encoding != Encoding::protobuf || endpoint.protobuf;
}

constexpr std::pair<Encoding, std::string_view> encodings[] = {
    {Encoding::json, "json"}, {Encoding::yaml, "yaml"}, {Encoding::protobuf, "vnd.kubernetes.protobuf"}};

constexpr const char* not_acceptable_text =
    "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf";

// ?pretty=true, or a browser or command-line tool that says nothing about it.
bool is_for_people(const Request& request) {
    for (const std::string_view part : split(request.query, '&')) {
        const std::size_t equals = part.find('=');
        if (equals == std::string_view::npos || percent_decode(part.substr(0, equals), true) != "pretty") continue;
        const std::string value = percent_decode(part.substr(equals + 1), true);
        if (value.empty()) break;
        for (const char* yes : {"1", "t", "T", "TRUE", "true", "True"}) {
            if (value == yes) return true;
        }
        return false;
    }
    for (const std::string_view agent : {"curl", "Wget", "Mozilla/5.0"}) {
        if (request.user_agent.compare(0, agent.size(), agent) == 0) return true;
    }
    return false;
}

}  // namespace

ApiResult<AnswerForm> negotiate(std::string_view accept, const Endpoint& endpoint) {
    if (accept.empty()) return AnswerForm{};
    for (const Clause& clause : read_clauses(accept)) {
        for (const auto& [encoding, subtype] : encodings) {
            if (!clause.matches(subtype)) continue;
            AnswerForm form;
            form.encoding = encoding;
            if (acceptable(clause, endpoint, form)) return form;
        }
    }
    return Status::not_acceptable(not_acceptable_text);
}

ApiResult<AnswerForm> negotiate(const Request& request, const Endpoint& endpoint) {
    TRY_ASSIGN(AnswerForm form, negotiate(std::string_view(request.accept), endpoint));
    form.pretty = form.pretty || is_for_people(request);
    return form;
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

namespace {

// Whether what follows a media type, `;name=value` any number of times, is what mime.ParseMediaType of Go can read.
bool reads_parameters(std::string_view text) {
    std::set<std::string> seen;
    while (!text.empty()) {
        text = trim(text.substr(1));
        if (text.empty()) return true;
        const std::size_t equals = text.find_first_of("=;");
        if (equals == 0 || equals == std::string_view::npos || text[equals] != '=') return false;
        const std::string name = lower(trim(text.substr(0, equals)));
        if (name.empty() || name.find_first_of(" \t\"") != std::string::npos || !seen.insert(name).second) return false;
        text.remove_prefix(equals + 1);
        std::size_t end = text.find(';');
        if (!text.empty() && text[0] == '"') {
            end = 1;
            while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
            if (end >= text.size()) return false;
            end = text.find_first_not_of(" \t", end + 1);
            if (end != std::string_view::npos && text[end] != ';') return false;
        } else if (trim(text.substr(0, end)).empty()) {
            return false;
        }
        text = end == std::string_view::npos ? std::string_view() : text.substr(end);
    }
    return true;
}

}  // namespace

ApiResult<BodyForm> body_form(std::string_view content_type) {
    const std::size_t end = std::min(content_type.find(';'), content_type.size());
    const std::string type = lower(trim(content_type.substr(0, end)));
    if (content_type.empty()) return BodyForm::json;
    const bool readable = reads_parameters(content_type.substr(end));
    if (readable && type == "application/json") return BodyForm::json;
    if (readable && type == "application/yaml") return BodyForm::yaml;
    if (readable && type == "application/vnd.kubernetes.protobuf") return BodyForm::protobuf;
    return Status::unsupported_media_type(
        "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, "
        "application/vnd.kubernetes.protobuf");
}

}  // namespace kubemu::api

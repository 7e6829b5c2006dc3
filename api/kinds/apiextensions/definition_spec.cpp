// What spec and status of a CustomResourceDefinition may say.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "api/cel/rules.h"
#include "api/kinds/apiextensions/definition.h"
#include "api/values/go_print.h"
#include "api/values/names.h"
#include "api/values/net.h"
#include "api/values/text.h"

namespace kubemu::api::kinds {
namespace {

constexpr std::size_t selectable_fields_max = 8;
// Go's pointers, whose digits mean nothing to anybody.
constexpr std::string_view some_pointer = "0xc000010000";

const Json* member(const Json& version, const char* name) { return find(version, name); }

// Whether all versions say the same (or nothing) there. Such parts stand beside the versions in the internal type, and
// complaints name that place.
bool shared(const Json& definition, const char* name) {
    const Json& versions = array_at(definition, {"spec", "versions"});
    static const Json nothing;
    for (const Json& version : versions) {
        const Json* a = member(versions[0], name);
        const Json* b = member(version, name);
        if ((a == nullptr ? nothing : *a) != (b == nullptr ? nothing : *b)) return false;
    }
    return true;
}

void check_label(std::string_view text, const FieldPath& path, std::string_view shown, std::string_view before, FieldErrors& errors) {
    if (text.empty()) return;
    const Messages messages = check_dns1035_label(text);
    if (!messages.empty()) errors.invalid(path, std::string(shown), std::string(before) + join(messages, ","));
}

void check_names(const Json& names, const FieldPath& path, FieldErrors& errors) {
    constexpr std::string_view mixed = "may have mixed case, but should otherwise match: ";
    for (const char* name : {"plural", "singular"}) {
        check_label(string_at(names, {name}), path.child(name), string_at(names, {name}), "", errors);
    }
    const std::string_view kind = string_at(names, {"kind"}), list = string_at(names, {"listKind"});
    check_label(lower(kind), path.child("kind"), kind, mixed, errors);
    check_label(lower(list), path.child("listKind"), list, mixed, errors);
    std::size_t index = 0;
    for (const Json& name : array_at(names, {"shortNames"})) {
        const Messages messages = check_dns1035_label(name.get_ref<const std::string&>());
        if (!messages.empty()) errors.invalid(path.child("shortNames").index(index), name, join(messages, ","));
        ++index;
    }
    if (!kind.empty() && kind == list) {
        errors.invalid(path.child("listKind"), std::string(list), "kind and listKind may not be the same");
    }
    index = 0;
    for (const Json& name : array_at(names, {"categories"})) {
        const Messages messages = check_dns1035_label(name.get_ref<const std::string&>());
        if (!messages.empty()) errors.invalid(path.child("categories").index(index), name, join(messages, ","));
        ++index;
    }
}

void check_simple_path(std::string_view text, const FieldPath& path, FieldErrors& errors) {
    if (text[0] != '.') errors.invalid(path, std::string(text), "must be a simple json path starting with .");
}

void check_subresources(const Json& subresources, const FieldPath& path, FieldErrors& errors) {
    const Json* scale = find(subresources, "scale");
    if (scale == nullptr) return;
    for (const auto& [name, root] : {std::pair{"specReplicasPath", ".spec"}, std::pair{"statusReplicasPath", ".status"}}) {
        const FieldPath at = path.child("scale." + std::string(name));
        const std::string_view text = string_at(*scale, {name});
        if (text.empty()) {
            errors.required(at, "");
        } else if (text[0] != '.') {
            check_simple_path(text, at, errors);
        } else if (text.rfind(std::string(root) + ".", 0) != 0) {
            errors.invalid(at, std::string(text), "should be a json path under " + std::string(root));
        }
    }
    const std::string_view selector = string_at(*scale, {"labelSelectorPath"});
    if (selector.empty()) return;
    const FieldPath at = path.child("scale.labelSelectorPath");
    if (selector[0] != '.') check_simple_path(selector, at, errors);
    else if (selector.rfind(".spec.", 0) != 0 && selector.rfind(".status.", 0) != 0) {
        errors.invalid(at, std::string(selector), "should be a json path under either .spec or .status");
    }
}

void check_columns(const Json& columns, const FieldPath& path, FieldErrors& errors) {
    static const std::set<std::string_view> types = {"boolean", "date", "integer", "number", "string"};
    static const std::set<std::string_view> formats = {"byte",   "date", "date-time", "double", "float", "int32",
                                                       "int64", "password"};
    constexpr const char* of_types = "must be one of boolean,date,integer,number,string";
    std::size_t index = 0;
    for (const Json& column : columns) {
        const FieldPath at = path.index(index++);
        const std::string_view type = string_at(column, {"type"}), format = string_at(column, {"format"});
        const std::string_view json_path = string_at(column, {"jsonPath"});
        if (string_at(column, {"name"}).empty()) errors.required(at.child("name"), "");
        if (type.empty()) errors.required(at.child("type"), of_types);
        else if (!types.contains(type)) errors.invalid(at.child("type"), std::string(type), of_types);
        if (!format.empty() && !formats.contains(format)) {
            errors.invalid(at.child("format"), std::string(format),
                           "must be one of byte,date,date-time,double,float,int32,int64,password");
        }
        if (json_path.empty()) errors.required(at.child("JSONPath"), "");
        else check_simple_path(json_path, at.child("JSONPath"), errors);
    }
}

void check_selectable(const Json& fields, const structural::Schema& schema, const FieldPath& path, FieldErrors& errors) {
    std::set<std::vector<std::string>> seen;
    std::size_t index = 0;
    for (const Json& field : fields) {
        const FieldPath at = path.index(index++).child("jsonPath");
        const std::string text(string_at(field, {"jsonPath"}));
        if (text.empty()) {
            errors.required(at, "");
            continue;
        }
        std::vector<std::string> steps;
        std::string error;
        const structural::Schema* found = schema_at_path(schema, text, false, steps, error);
        if (!error.empty()) {
            errors.invalid(at, text, "is an invalid path: " + error);
            continue;
        }
        if (!steps.empty() && steps[0] == "metadata") errors.invalid(at, text, "must not point to fields in metadata");
        if (found == nullptr || (found->type != "string" && found->type != "boolean" && found->type != "integer")) {
            errors.invalid(at, text,
                           "must point to a field of type string, boolean or integer. Enum string fields and strings with "
                           "formats are allowed.");
        }
        if (!seen.insert(steps).second) errors.duplicate(at, text);
    }
    if (seen.size() > selectable_fields_max) errors.too_many(path, seen.size(), selectable_fields_max);
}

bool has_status(const Json& version) { return find(version, {"subresources", "status"}) != nullptr; }

void check_deprecation(const Json& version, const FieldPath& path, FieldErrors& errors) {
    const Json* warning = find(version, "deprecationWarning");
    if (warning == nullptr || !warning->is_string()) return;
    const std::string& text = warning->get_ref<const std::string&>();
    const FieldPath at = path.child("deprecationWarning");
    if (!bool_at(version, {"deprecated"})) return errors.invalid(at, text, "can only be set for deprecated versions");
    if (text.size() > 256) errors.invalid(at, text, "must be <= 256 characters long");
    if (text.empty()) errors.invalid(at, text, "must not be an empty string");
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c >= 0x20 && c != 0x7f) continue;
        errors.invalid(at, text,
                       "must only contain printable UTF-8 characters; non-printable character found at index " + std::to_string(i));
        break;
    }
}

// The parts that versions have of their own, or that all share.
class Versions {
  public:
    // With fields kept that no schema knows, there need not be one, nor does it have to be structural.
    Versions(const Json& definition, bool v1beta1, FieldErrors& errors)
        : definition_(definition),
          errors_(errors),
          versions_(array_at(definition, {"spec", "versions"})),
          v1beta1_(v1beta1),
          loose_(v1beta1 && bool_at(definition, {"spec", "preserveUnknownFields"})) {}

    void check() {
        bool any_schema = false;
        for (const Json& version : versions_) any_schema = any_schema || schema_of(version) != nullptr;
        const bool shared_schema = shared(definition_, "schema");
        for (std::size_t i = 0; i < versions_.size() && !loose_; ++i) {
            if (schema_of(versions_[i]) == nullptr && !(shared_schema && any_schema)) {
                errors_.required(spec().child("versions").index(i).child("schema").child("openAPIV3Schema"),
                                 v1beta1_ ? "because otherwise all fields are pruned" : "schemas are required");
            }
        }
        for (std::size_t i = 0; i < versions_.size(); ++i) own_parts(versions_[i], spec().child("versions").index(i));
    }

    void check_shared() {
        if (versions_.empty()) return;
        const Json& first = versions_[0];
        if (shared(definition_, "schema") && schema_of(first) != nullptr) {
            const bool status = std::any_of(versions_.begin(), versions_.end(), has_status);
            check_schema(*schema_of(first), status, spec().child("validation").child("openAPIV3Schema"));
        }
        if (shared(definition_, "subresources")) {
            check_subresources(object_at(first, {"subresources"}), spec().child("subresources"), errors_);
        }
        if (shared(definition_, "additionalPrinterColumns")) {
            check_columns(array_at(first, {"additionalPrinterColumns"}), spec().child("additionalPrinterColumns"), errors_);
        }
        if (shared(definition_, "selectableFields")) {
            const bool beside_schema = shared(definition_, "schema") && find(first, "schema") != nullptr;
            check_fields(first, beside_schema, "may only be set when validations.schema is included", spec());
        }
    }

  private:
    static FieldPath spec() { return FieldPath("spec"); }
    static const Json* schema_of(const Json& version) { return find(version, {"schema", "openAPIV3Schema"}); }

    void check_schema(const Json& props, bool status, const FieldPath& path) {
        std::string malformed;
        structural::Schema schema = structural::parse_schema(props, &malformed);
        if (!malformed.empty()) return errors_.invalid(path, "", malformed);
        if (loose_) return;
        cel::compile_rules(schema);
        validate_definition_schema(schema, status, path, errors_);
    }

    void own_parts(const Json& version, const FieldPath& path) {
        const std::string_view name = string_at(version, {"name"});
        if (const Messages messages = check_dns1035_label(name); !messages.empty()) {
            errors_.invalid(path.child("name"), std::string(name), join(messages, ","));
        }
        check_deprecation(version, path, errors_);
        if (!shared(definition_, "schema") && schema_of(version) != nullptr) {
            check_schema(*schema_of(version), has_status(version), path.child("schema").child("openAPIV3Schema"));
        }
        if (!shared(definition_, "subresources")) {
            check_subresources(object_at(version, {"subresources"}), path.child("subresources"), errors_);
        }
        if (!shared(definition_, "additionalPrinterColumns")) {
            check_columns(array_at(version, {"additionalPrinterColumns"}), path.child("additionalPrinterColumns"), errors_);
        }
        if (!shared(definition_, "selectableFields")) {
            const bool beside_schema = !shared(definition_, "schema") && schema_of(version) != nullptr;
            check_fields(version, beside_schema,
                         "may only be set when `version.schema.openAPIV3Schema` is not included", path);
        }
    }

    // Selectable fields are looked for in the schema that stands beside them: where all versions have the same, that is
    // not the one of a version.
    void check_fields(const Json& version, bool beside_schema, const char* otherwise, const FieldPath& path) {
        const Json& fields = array_at(version, {"selectableFields"});
        if (fields.empty()) return;
        const FieldPath at = path.child("selectableFields");
        if (!beside_schema) return errors_.invalid(at, "", otherwise);
        const Json* props = schema_of(version);
        structural::Schema schema = structural::parse_schema(props == nullptr ? Json::object() : *props);
        if (const std::string never = why_never_structural(schema); !never.empty()) {
            errors_.invalid(path.child("schema").child("openAPIV3Schema"), "", never);
            schema = structural::Schema();
        }
        check_selectable(fields, schema, at, errors_);
    }

    const Json& definition_;
    FieldErrors& errors_;
    const Json& versions_;
    const bool v1beta1_, loose_;
};

void check_webhook_url(const std::string& text, const FieldPath& path, FieldErrors& errors) {
    const std::string form = "; desired format: https://host[/path]";
    std::string error;
    const std::size_t hash = text.find('#');
    const auto url = Url::parse_request(text.substr(0, hash), &error);
    if (!url && text.find(':') != std::string::npos) return errors.required(path, "url must be a valid URL: " + error + form);
    const Url empty;
    const Url& parsed = url ? *url : empty;
    if (parsed.scheme != "https") errors.invalid(path, parsed.scheme, "'https' is the only allowed URL scheme" + form);
    if (parsed.host.empty()) errors.invalid(path, parsed.host, "host must be specified" + form);
    const std::size_t authority = text.find("//");
    const std::size_t at = authority == std::string::npos ? authority : text.substr(0, text.find('/', authority + 2)).find('@', authority);
    if (at != std::string::npos) {
        errors.invalid(path, text.substr(authority + 2, at - authority - 2), "user information is not permitted in the URL");
    }
    if (hash != std::string::npos && hash + 1 < text.size()) {
        errors.invalid(path, text.substr(hash + 1), "fragments are not permitted in the URL");
    }
    if (!parsed.raw_query.empty()) errors.invalid(path, parsed.raw_query, "query parameters are not permitted in the URL");
}

void check_webhook_service(const Json& service, const FieldPath& path, FieldErrors& errors) {
    // The real server mixes the two up.
    if (string_at(service, {"namespace"}).empty()) errors.required(path.child("name"), "");
    if (string_at(service, {"name"}).empty()) errors.required(path.child("namespace"), "");
    const std::int64_t port = int_at(service, {"port"});
    if (port < 1 || port > 65535) errors.invalid(path.child("port"), port, "port is not valid: must be between 1 and 65535, inclusive");
    std::string url(string_at(service, {"path"}));
    if (url.empty() || url == "/") return;
    const FieldPath at = path.child("path");
    if (url == "//") return errors.invalid(at, url, "segment[0] may not be empty");
    if (url[0] != '/') errors.invalid(at, url, "must start with a '/'");
    std::string_view checked = std::string_view(url).substr(1);
    if (!checked.empty() && checked.back() == '/') checked.remove_suffix(1);
    std::size_t index = 0;
    for (const std::string_view step : split(checked, '/')) {
        const std::string segment = "segment[" + std::to_string(index++) + "]";
        if (step.empty()) {
            errors.invalid(at, url, segment + " may not be empty");
            continue;
        }
        for (const std::string& message : check_dns1123_subdomain(step)) errors.invalid(at, url, segment + ": " + message);
    }
}

void check_review_versions(const Json& versions, const FieldPath& path, FieldErrors& errors) {
    if (versions.empty()) return errors.required(path, "");
    std::set<std::string> seen;
    bool accepted = false;
    std::size_t index = 0;
    for (const Json& version : versions) {
        const std::string& name = version.get_ref<const std::string&>();
        const FieldPath at = path.index(index++);
        if (!seen.insert(name).second) {
            errors.invalid(at, name, "duplicate version");
            continue;
        }
        for (const std::string& message : check_dns1035_label(name)) errors.invalid(at, name, message);
        accepted = accepted || name == "v1" || name == "v1beta1";
    }
    if (accepted) return;
    std::string shown = "[]string{";
    for (const Json& version : versions) shown += (shown.back() == '{' ? "" : ", ") + go_quote(version.get<std::string>());
    errors.invalid(path, GoText{shown + "}"}, "must include at least one of v1, v1beta1");
}

void check_conversion(const Json& definition, FieldErrors& errors) {
    const Json* conversion = find(definition, {"spec", "conversion"});
    if (conversion == nullptr) return;
    const FieldPath path("spec.conversion");
    const std::string_view strategy = string_at(*conversion, {"strategy"});
    if (strategy.empty()) errors.required(path.child("strategy"), "");
    else if (strategy != "None" && strategy != "Webhook") errors.not_supported(path.child("strategy"), strategy, {"None", "Webhook"});
    const Json* config = find(*conversion, {"webhook", "clientConfig"});
    const Json& versions = array_at(*conversion, {"webhook", "conversionReviewVersions"});
    const FieldPath client = path.child("webhookClientConfig");
    if (strategy != "Webhook") {
        if (config != nullptr) errors.forbidden(client, "should not be set when strategy is not set to Webhook");
        if (!versions.empty()) {
            errors.forbidden(path.child("conversionReviewVersions"), "should not be set when strategy is not set to Webhook");
        }
        return;
    }
    if (config == nullptr) {
        errors.required(client, "required when strategy is set to Webhook");
    } else {
        const Json* url = find(*config, "url");
        const Json* service = find(*config, "service");
        if ((url == nullptr) == (service == nullptr)) errors.required(client, "exactly one of url or service is required");
        else if (url != nullptr) check_webhook_url(url->get<std::string>(), client.child("url"), errors);
        else check_webhook_service(*service, client.child("service"), errors);
    }
    check_review_versions(versions, path.child("conversionReviewVersions"), errors);
}

void check_version_list(const Json& definition, FieldErrors& errors) {
    std::set<std::string_view> names;
    bool unique = true;
    int storage = 0;
    for (const Json& version : array_at(definition, {"spec", "versions"})) {
        unique = names.insert(string_at(version, {"name"})).second && unique;
        if (bool_at(version, {"storage"})) ++storage;
    }
    const FieldPath path("spec.versions");
    if (!unique) errors.invalid(path, GoText{go_versions(definition)}, "must contain unique version names");
    if (storage != 1) errors.invalid(path, GoText{go_versions(definition)}, "must have exactly one version marked as storage version");
}

void check_spec(const Json& definition, bool v1beta1, FieldErrors& errors) {
    const FieldPath spec("spec");
    const std::string_view group = string_at(definition, {"spec", "group"}), scope = string_at(definition, {"spec", "scope"});
    if (group.empty()) {
        errors.required(spec.child("group"), "");
    } else if (const Messages messages = check_dns1123_subdomain(group); !messages.empty()) {
        errors.invalid(spec.child("group"), std::string(group), join(messages, ","));
    } else if (group.find('.') == std::string_view::npos) {
        errors.invalid(spec.child("group"), std::string(group), "should be a domain with at least one dot");
    }
    if (scope.empty()) errors.required(spec.child("scope"), "");
    else if (scope != "Cluster" && scope != "Namespaced") errors.not_supported(spec.child("scope"), scope, {"Cluster", "Namespaced"});
    Versions versions(definition, v1beta1, errors);
    versions.check();
    check_version_list(definition, errors);
    // The internal type has a version beside the versions, which is the first of them.
    if (const Json& list = array_at(definition, {"spec", "versions"}); !list.empty()) {
        check_label(string_at(list[0], {"name"}), spec.child("version"), string_at(list[0], {"name"}), "", errors);
    }
    const Json& names = object_at(definition, {"spec", "names"});
    for (const char* name : {"plural", "singular", "kind", "listKind"}) {
        if (string_at(names, {name}).empty()) errors.required(spec.child("names").child(name), "");
    }
    check_names(names, spec.child("names"), errors);
    versions.check_shared();
    check_conversion(definition, errors);
}

void check_stored_versions(const Json& definition, FieldErrors& errors) {
    const FieldPath path("status.storedVersions");
    const Json& stored = array_at(definition, {"status", "storedVersions"});
    if (stored.empty()) return errors.invalid(path, GoText{"[]string(nil)"}, "must have at least one stored version");
    std::string shown = "[]string{";
    std::vector<std::string> names;
    for (const Json& name : stored) {
        shown += (names.empty() ? "" : ", ") + go_quote(name.get<std::string>());
        names.push_back(name.get<std::string>());
    }
    // Each stored name answers for one version.
    std::set<std::string> known, open(names.begin(), names.end());
    for (const Json& version : array_at(definition, {"spec", "versions"})) {
        const std::string name(string_at(version, {"name"}));
        known.insert(name);
        if (open.erase(name) == 0 && bool_at(version, {"storage"})) {
            errors.invalid(path, GoText{shown + "}"}, "must have the storage version " + name);
        }
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (!known.contains(names[i])) errors.invalid(path.index(i), names[i], "must appear in spec.versions");
    }
}

// Groups of the Kubernetes community need the word of its reviewers (KEP-1111).
void check_approval(const Json& definition, const Json* old, FieldErrors& errors) {
    const std::string_view group = string_at(definition, {"spec", "group"});
    const auto ends = [group](std::string_view suffix) {
        return group == suffix.substr(1) || (group.size() > suffix.size() && group.substr(group.size() - suffix.size()) == suffix);
    };
    if (!ends(".k8s.io") && !ends(".kubernetes.io")) return;
    constexpr std::string_view annotation = "api-approved.kubernetes.io";
    const auto said = [annotation](const Json& of) { return std::string(string_at(of, {"metadata", "annotations", annotation})); };
    const std::string text = said(definition);
    const auto state = [](const std::string& value) {
        if (value.empty()) return 0;
        if (value.rfind("unapproved", 0) == 0) return 1;
        const auto url = Url::parse_request(value);
        return url && !url->host.empty() && !url->scheme.empty() ? 2 : 3;
    };
    if (old != nullptr && state(said(*old)) == state(text)) return;
    const FieldPath path = FieldPath("metadata.annotations").key(annotation);
    if (state(text) == 0) {
        errors.required(path, "protected groups must have approval annotation \"api-approved.kubernetes.io\", see "
                              "https://github.com/kubernetes/enhancements/pull/1111");
    } else if (state(text) == 3) {
        errors.invalid(path, text,
                       "protected groups must have approval annotation \"api-approved.kubernetes.io\" with either a URL or a "
                       "reason starting with \"unapproved\", see https://github.com/kubernetes/enhancements/pull/1111");
    }
}

void check_immutable(const Json& definition, const Json& old, FieldErrors& errors) {
    const auto check = [&](std::initializer_list<std::string_view> path, const char* field) {
        const std::string_view now = string_at(definition, path);
        if (now != string_at(old, path)) errors.invalid(FieldPath(field), std::string(now), "field is immutable");
    };
    const Json* established = find_condition(old, "Established");
    if (established != nullptr && string_at(*established, {"status"}) == "True") {
        check({"spec", "scope"}, "spec.scope");
        check({"spec", "names", "kind"}, "spec.names.kind");
    }
    check({"spec", "group"}, "spec.group");
    check({"spec", "names", "plural"}, "spec.names.plural");
}

}  // namespace

void validate_definition(const Json& definition, const Json* old, FieldErrors& errors, bool v1beta1) {
    check_spec(definition, v1beta1, errors);
    if (old != nullptr) check_immutable(definition, *old, errors);
    validate_definition_status(definition, errors);
    check_stored_versions(definition, errors);
    check_approval(definition, old, errors);
    const bool preserved = old != nullptr && bool_at(*old, {"spec", "preserveUnknownFields"});
    if (!v1beta1 && !preserved && bool_at(definition, {"spec", "preserveUnknownFields"})) {
        errors.invalid(FieldPath("spec.preserveUnknownFields"), true,
                       "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead");
    }
}

void validate_definition_status(const Json& definition, FieldErrors& errors) {
    check_names(object_at(definition, {"status", "acceptedNames"}), FieldPath("status.acceptedNames"), errors);
}

std::string go_versions(const Json& definition) {
    const Json* versions = find(definition, {"spec", "versions"});
    const std::string type = "[]apiextensions.CustomResourceDefinitionVersion";
    if (versions == nullptr || !versions->is_array()) return type + "(nil)";
    const auto pointer = [&](const Json& version, const char* name, const char* go_type) {
        const bool set = member(version, name) != nullptr && !shared(definition, name);
        return "(*" + std::string(go_type) + ")(" + std::string(set ? some_pointer : "nil") + ")";
    };
    std::string text = type + "{";
    for (const Json& version : *versions) {
        if (text.back() != '{') text += ", ";
        const auto flag = [&](const char* name) { return std::string(bool_at(version, {name}) ? "true" : "false"); };
        const bool warned = member(version, "deprecationWarning") != nullptr;
        text += "apiextensions.CustomResourceDefinitionVersion{Name:" + go_quote(string_at(version, {"name"})) +
                ", Served:" + flag("served") + ", Storage:" + flag("storage") + ", Deprecated:" + flag("deprecated") +
                ", DeprecationWarning:(*string)(" + std::string(warned ? some_pointer : "nil") +
                "), Schema:" + pointer(version, "schema", "apiextensions.CustomResourceValidation") +
                ", Subresources:" + pointer(version, "subresources", "apiextensions.CustomResourceSubresources") +
                ", AdditionalPrinterColumns:[]apiextensions.CustomResourceColumnDefinition";
        const Json& columns = array_at(version, {"additionalPrinterColumns"});
        if (columns.empty() || shared(definition, "additionalPrinterColumns")) {
            text += "(nil)}";
            continue;
        }
        text += '{';
        for (const Json& column : columns) {
            if (text.back() != '{') text += ", ";
            text += "apiextensions.CustomResourceColumnDefinition{Name:" + go_quote(string_at(column, {"name"})) +
                    ", Type:" + go_quote(string_at(column, {"type"})) + ", Format:" + go_quote(string_at(column, {"format"})) +
                    ", Description:" + go_quote(string_at(column, {"description"})) +
                    ", Priority:" + std::to_string(int_at(column, {"priority"})) +
                    ", JSONPath:" + go_quote(string_at(column, {"jsonPath"})) + "}";
        }
        text += "}}";
    }
    return text + "}";
}

}  // namespace kubemu::api::kinds

// Rules for names, labels and annotations with the messages of k8s.io/apimachinery/pkg/util/validation.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/values/field_errors.h"

namespace kubemu::api {

// Each returns what is wrong, one sentence a rule; empty when the text is fine.
using Messages = std::vector<std::string>;
Messages check_dns1123_label(std::string_view text);
Messages check_dns1123_subdomain(std::string_view text);
Messages check_dns1035_label(std::string_view text);
Messages check_qualified_name(std::string_view text);  // label and annotation keys
Messages check_label_value(std::string_view text);
Messages check_config_map_key(std::string_view text);
Messages check_env_var_name(std::string_view text);
Messages check_port_name(std::string_view text);
Messages check_path_segment(std::string_view text, bool prefix);
Messages check_ip(std::string_view text);

// The same with metadata.generateName's trailing '-' allowed.
Messages check_name_as_subdomain(std::string_view name, bool prefix);
Messages check_name_as_label(std::string_view name, bool prefix);
Messages check_name_as_dns1035(std::string_view name, bool prefix);

void validate_labels(const Json& labels, const FieldPath& path, FieldErrors& errors);
void validate_annotations(const Json& annotations, const FieldPath& path, FieldErrors& errors);
// A LabelSelector object.
void validate_label_selector(const Json& selector, const FieldPath& path, FieldErrors& errors);

bool is_ipv4(std::string_view text);

}  // namespace kubemu::api

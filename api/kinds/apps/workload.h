// What the kinds that run pods of a template share: the selector and its template, status counters, warnings.
#pragma once

#include <initializer_list>
#include <string_view>

#include "api/kinds/rules.h"

namespace kubemu::api::kinds {

// spec.template's pod spec.
void default_template(Json& object, const HookContext&);
// spec.selector is there, well-formed and not empty; `empty` is said of an empty one.
void validate_selector(const Json& spec, std::string_view empty, FieldErrors& errors);
// Nothing is wrong with the selector itself (metav1.LabelSelectorAsSelector succeeds); null is fine.
bool usable_selector(const Json* selector);
// An absent selector matches nothing, an empty one everything.
bool selects_template(const Json* selector, const Json& spec);
// spec.template for pods that run forever: labels match, restart policy Always, no deadline. `kind` is the one that the
// real server names in "activeDeadlineSeconds in ReplicaSet is not Supported".
void validate_template_matches(const Json& spec, bool matches, FieldErrors& errors);
void validate_endless(const Json& spec, std::string_view kind, FieldErrors& errors);

void immutable_selector(const Json& object, const Json& old, FieldErrors& errors);

// status.<member> >= 0 for each.
void validate_counters(const Json& status, std::initializer_list<const char*> members, FieldErrors& errors);
// status.<member> <= status.<limit>.
void validate_at_most(const Json& status, const char* member, const char* limit, std::string_view message, FieldErrors& errors);
void validate_collision_count(const Json& object, const Json& old, FieldErrors& errors);

// Warnings of the template when it is new or the spec has changed.
void warn_of_template(const Json& object, const Json* old, std::vector<std::string>& warnings);
// Names of pods are made of this one, so it should be a DNS label; on create only.
void warn_of_name(const Json& object, const Json* old, std::vector<std::string>& warnings);

}  // namespace kubemu::api::kinds

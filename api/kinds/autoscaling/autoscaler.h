// HorizontalPodAutoscaler in its versions: v2 is stored, v1, v2beta1 and v2beta2 are converted.
#pragma once

#include "api/kinds/rules.h"

namespace kubemu::api::kinds {

// The defaults of v2, which the beta versions share.
void default_autoscaler(Json& object);
void default_autoscaler_behavior(Json& object);

// Checks of an autoscaler in the form of v2 (kubernetes pkg/apis/autoscaling/validation).
void validate_autoscaler(const Json& object, FieldErrors& errors);
// The metrics of spec, `least` being spec.minReplicas.
void validate_autoscaler_metrics(const Json& metrics, const Json* least, const FieldPath& path,
                                 FieldErrors& errors);
void validate_autoscaler_status(const Json& object, FieldErrors& errors);
void validate_object_reference(const Json& reference, const FieldPath& path, FieldErrors& errors);

// The metrics of v1 (in annotations) and v2beta1 (in fields) name their targets flat; v2 has a `target`
// object.
Json flat_metrics(const Json& metrics);
Json nested_metrics(const Json& metrics);
Json flat_metric_statuses(const Json& statuses);
Json nested_metric_statuses(const Json& statuses);

// Takes the annotations away in which versions keep what they have no field for.
void drop_round_trip_annotations(Json& object);
// spec.behavior as the internal type writes itself into an annotation, and back; null when it is malformed.
std::string behavior_text(const Json& behavior);
Json behavior_from_text(std::string_view text);

}  // namespace kubemu::api::kinds

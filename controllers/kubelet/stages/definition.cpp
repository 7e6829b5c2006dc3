// The fields are those of sigs.k8s.io/kwok/pkg/apis/v1alpha1/stage_types.go.
#include "controllers/kubelet/stages/definition.h"

#include <nlohmann/json.hpp>

#include "api/client.h"
#include "api/codec/yaml.h"
#include "storage/base/log.h"

namespace kubemu::controllers::stages {
namespace {

constexpr const char* definition = R"(
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: stages.kwok.x-k8s.io}
spec:
  group: kwok.x-k8s.io
  scope: Cluster
  names: {kind: Stage, listKind: StageList, plural: stages, singular: stage}
  versions:
  - name: v1alpha1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        description: A step in the life of objects of one kind.
        required: [spec]
        properties:
          apiVersion: {type: string}
          kind: {type: string}
          metadata: {type: object}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
          spec:
            type: object
            description: "Which objects it is for, when it comes, and what it does."
            required: [resourceRef]
            properties:
              resourceRef:
                type: object
                description: The kind of the objects.
                required: [kind]
                properties:
                  apiGroup: {type: string, default: v1, description: Group and version of the kind.}
                  kind: {type: string}
              selector:
                type: object
                description: "Which of the objects; without one it is for none."
                properties:
                  matchLabels: {type: object, additionalProperties: {type: string}}
                  matchAnnotations: {type: object, additionalProperties: {type: string}}
                  matchExpressions:
                    type: array
                    items:
                      type: object
                      properties:
                        key: {type: string, description: A jq expression.}
                        operator: {type: string, description: "In, NotIn, Exists or DoesNotExist."}
                        values: {type: array, items: {type: string}}
                        jq: &requirement
                          type: object
                          properties:
                            key: {type: string}
                            operator: {type: string}
                            values: {type: array, items: {type: string}}
                        cel: &expression
                          type: object
                          properties:
                            expression: {type: string}
              weight: {type: integer, default: 0, minimum: 0, description: How likely it is among Stages that match the same object.}
              weightFrom: &from
                type: object
                description: An expression over the object that gives the value.
                properties:
                  expressionFrom: {type: string}
                  jq: *expression
                  cel: *expression
              delay:
                type: object
                description: Time from the match to the step.
                properties:
                  durationMilliseconds: {type: integer, format: int64, minimum: 0}
                  durationFrom: *from
                  jitterDurationMilliseconds: {type: integer, format: int64, minimum: 0, description: The longest time when it is more than the duration.}
                  jitterDurationFrom: *from
              immediateNextStage: {type: boolean}
              next:
                type: object
                description: What it does; see steps.
                properties:
                  event: &event
                    type: object
                    properties:
                      type: {type: string}
                      reason: {type: string}
                      message: {type: string}
                  finalizers: &finalizers
                    type: object
                    properties:
                      add: &items {type: array, items: {type: object, properties: {value: {type: string}}}}
                      remove: *items
                      empty: {type: boolean}
                  delete: {type: boolean}
                  patches:
                    type: array
                    items: &patch
                      type: object
                      properties:
                        subresource: {type: string}
                        root: {type: string, description: Member of the object that the template makes.}
                        template: {type: string}
                        type: {type: string, enum: [json, merge, strategic]}
                        impersonation: &user
                          type: object
                          required: [username]
                          properties:
                            username: {type: string}
                  statusTemplate: {type: string}
                  statusSubresource: {type: string, default: status}
                  statusPatchAs: *user
              steps:
                type: array
                description: "What it does, one after the other."
                items:
                  type: object
                  properties:
                    event: *event
                    finalizers: *finalizers
                    delete: {type: boolean}
                    patch: *patch
                    apply:
                      type: object
                      properties:
                        subresource: {type: string}
                        template: {type: string}
                        type: {type: string, enum: [apply, merge, strategic]}
                        impersonation: *user
)";

}  // namespace

void bootstrap_stage_definition(api::Registry& registry) {
    constexpr std::string_view definitions = "customresourcedefinitions.apiextensions.k8s.io";
    if (registry.get(definitions, "", stage_resource)) return;
    auto document = api::parse_yaml(definition);
    if (!document)
        return log_line(LogLevel::error, "the definition of Stages is broken",
                        {{"error", document.error().message}});
    api::Client client(registry, api::administrator(), "kwok");
    const auto made = client.create(registry.kinds().stored(definitions), "", std::move(*document));
    if (!made && made.error().code() != 409)
        log_line(LogLevel::error, "the definition of Stages was refused", {{"error", made.error()->message}});
}

}  // namespace kubemu::controllers::stages

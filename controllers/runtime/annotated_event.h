// An Event that carries annotations (k8s.io/client-go/tools/record AnnotatedEventf).
//
// It goes around EventRecorder's counting: what is annotated says something about one object that happens to it once.
#pragma once

#include <map>
#include <string>

#include "api/client.h"
#include "api/values/object.h"

namespace kubemu::controllers {

class Manager;

struct AnnotatedEvent {
    std::string component, host;  // source.component and source.host
    std::string reason, message;
    std::map<std::string, std::string> annotations;
};
// A Warning about `object`, which has its kind and apiVersion. A failure to write is logged and forgotten.
void warn_annotated(Manager& manager, api::Client& client, const api::Json& object, const AnnotatedEvent& event);

}  // namespace kubemu::controllers

// EventRecorder: Events as the real components record them (k8s.io/client-go/tools/record): equal ones are counted
// in one object, floods of similar ones are aggregated.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "api/client.h"
#include "api/values/object.h"
#include "storage/record.h"

namespace kubemu::controllers {

class Manager;

class EventRecorder {
  public:
    // `component` is source.component ("deployment-controller"); `host` is source.host (kubelets only).
    EventRecorder(Manager& manager, api::Client& client, std::string component, std::string host = {});
    ~EventRecorder();

    // `object` is the object concerned, with kind and apiVersion; `field_path` for example
    // "spec.containers{nginx}". A failure to write is logged and forgotten, as in client-go.
    void normal(const api::Json& object, std::string_view reason, std::string_view message, std::string_view field_path = {});
    void warning(const api::Json& object, std::string_view reason, std::string_view message, std::string_view field_path = {});

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace kubemu::controllers

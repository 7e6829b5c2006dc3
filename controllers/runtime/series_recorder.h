// SeriesRecorder: Events as components record them that write events.k8s.io/v1, as kube-scheduler does
// (k8s.io/client-go/tools/events): the instant and the action are named, and repetitions make a series.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "api/client.h"
#include "api/values/object.h"
#include "storage/base/clock.h"

namespace kubemu::controllers {

class Manager;

class SeriesRecorder {
  public:
    // `component` is reportingComponent ("default-scheduler"), `host` the machine that it says it runs on.
    SeriesRecorder(Manager& manager, const api::Client& client, std::string component, std::string_view host);
    ~SeriesRecorder();
    SeriesRecorder(const SeriesRecorder&) = delete;
    SeriesRecorder& operator=(const SeriesRecorder&) = delete;

    // `regarding` is the object concerned, with kind and apiVersion; `action` what was tried ("Binding"). A failure to
    // write is logged and forgotten.
    void normal(const api::Json& regarding, std::string_view reason, std::string_view action, std::string_view note);
    // Warnings with the same reason and action about the same revision of an object are one event: the second turns it
    // into a series, later ones are counted, and the count is written when the series has been silent for six minutes.
    void warning(const api::Json& regarding, std::string_view reason, std::string_view action, std::string_view note);

  private:
    struct Known {
        std::string namespace_name, name;
        std::int64_t count = 1;
        std::int64_t written = 1;
        Time last;
    };

    // The name of the event; empty when it was refused.
    std::string write(const std::string& event_namespace, const api::Json& regarding, std::string_view type,
                      std::string_view reason, std::string_view action, std::string_view note);
    void write_series(Known& known);
    void finish();

    Manager& manager_;
    api::Client client_;  // its own, so that an event does not count as a write of the controller
    std::string component_;
    std::string instance_;
    std::map<std::string, Known> known_;
    std::int64_t last_stamp_ = 0;
};

}  // namespace kubemu::controllers

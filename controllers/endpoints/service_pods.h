// ServicePods: the pods behind a Service, as Endpoints and EndpointSlices both need them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/client.h"
#include "api/informer.h"
#include "api/kinds/views.h"

namespace kubemu::controllers {

struct PodPort {
    std::string name, protocol;
    int number = 0;
};

// What a pod's View does not hold; immutable once the pod exists.
struct PodAddressing {
    std::string hostname, subdomain;
    std::vector<PodPort> ports;  // the named container ports
};

class ServicePods {
  public:
    ServicePods(api::Client& client, api::Informer& services, api::Informer& pods) : client_(client), services_(services), pods_(pods) {}

    // Keys of the services whose selector matches the pod, before or after the change. Nothing when the change does
    // not matter to anybody's addresses.
    std::vector<std::string> affected_services(const api::Informer::Change& change);
    // The pods that `selector` (a plain map) matches, in the order of keys.
    std::vector<storage::RecordPtr> select(std::string_view namespace_name, const api::Json& selector) const;
    const PodAddressing& addressing(const storage::Record& pod);
    // The pod's address of the family "IPv4" or "IPv6"; empty when it has none.
    std::string address_of(const storage::Record& pod, std::string_view family) const;
    // The port of `pod` that a ServicePort goes to; nothing when the pod has no port of that name.
    std::optional<int> target_port(const api::Json& service_port, const storage::Record& pod);

  private:
    struct Entry {
        storage::Revision revision = 0;
        api::Labels selector;
        bool selects = false;
    };
    const Entry& selector_of(const storage::Record& service);

    api::Client& client_;
    api::Informer& services_;
    api::Informer& pods_;
    std::unordered_map<std::string, PodAddressing> addressing_;  // by uid
    std::unordered_map<std::string, Entry> selectors_;           // by uid
};

// endpoints.kubernetes.io/last-change-trigger-time: since when what the addresses show has been true. For each
// service it remembers what it has seen (k8s.io/endpointslice/util.TriggerTimeTracker).
class TriggerTimes {
  public:
    // The earliest change that is new since the last call; nothing when only removals are.
    std::optional<Time> observe(const std::string& key, Time service_created, const std::vector<storage::RecordPtr>& pods);
    void forget(const std::string& key) { seen_.erase(key); }

  private:
    struct Seen {
        Time service{};
        std::unordered_map<std::string, Time> pods;
    };
    std::unordered_map<std::string, Seen> seen_;
};

// Labels of the service for its endpoints, with service.kubernetes.io/headless when it has no address.
api::Json endpoint_labels(const api::Json& service);
bool is_headless(const api::Json& service);
// spec.ipFamilies; IPv4 for what was written before there were any.
std::vector<std::string> families_of(const api::Json& service);
api::Json pod_reference(const api::PodView& pod);

}  // namespace kubemu::controllers

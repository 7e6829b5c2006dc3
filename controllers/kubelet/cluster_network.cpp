// Who answers at an address, from the objects in the registry; and what, from the files of the container that
// does.
#include "controllers/kubelet/cluster_network.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "api/kinds/views.h"
#include "api/values/quantity.h"
#include "api/values/text.h"
#include "controllers/kubelet/container_streams.h"
#include "controllers/kubelet/image_catalog.h"

namespace kubemu::controllers::kubelet {

using api::array_at;
using api::Json;
using api::object_at;
using api::string_at;

namespace {

constexpr std::string_view cluster_domain = "cluster.local";

bool is_address(std::string_view host) {
    return !host.empty() && host.find_first_not_of("0123456789.") == host.npos && host.find('.') != host.npos;
}

// The private, shared and special networks (RFC 1918, 6598, 6890).
bool is_private(std::string_view address) {
    std::vector<int> parts;
    for (const std::string_view part : api::split(address, '.'))
        parts.push_back(std::atoi(std::string(part).c_str()));
    if (parts.size() != 4) return true;
    const int a = parts[0], b = parts[1];
    return a == 0 || a == 10 || a == 127 || a >= 224 || (a == 172 && b >= 16 && b < 32) ||
           (a == 192 && b == 168) || (a == 100 && b >= 64 && b < 128) || (a == 169 && b == 254) ||
           (a == 192 && b == 0) || (a == 198 && b / 2 == 9) || (a == 203 && b == 0) || (a == 198 && b == 51);
}

// A name that the world's name servers would know: under a top-level domain that people use.
bool is_public_name(std::string_view host) {
    const auto dot = host.rfind('.');
    if (dot == host.npos || dot == 0) return false;
    const std::string_view top = host.substr(dot + 1);
    for (const std::string_view known :
         {"com", "org", "net", "io", "dev", "edu", "gov", "info", "app", "cloud"})
        if (top == known) return true;
    return top.size() == 2 && std::isalpha(static_cast<unsigned char>(top[0])) != 0 &&
           std::isalpha(static_cast<unsigned char>(top[1])) != 0;
}

// The same for the same name, in every run; of a network that nobody has (RFC 2544).
std::string address_of(std::string_view name) {
    unsigned hash = 2166136261U;
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
    return "198.18." + std::to_string(hash >> 8 & 0xff) + "." + std::to_string(1 + (hash & 0xff) % 254);
}

Page outside_page(const PageRequest& request) {
    Page page;
    page.content_type = "text/html";
    page.body = "<html><head></head><body><header>\n<title>http://" + request.host +
                "</title>\n</header>\n\n<h1>http://" + request.host + "</h1>\n</body></html>\n";
    return page;
}

class ClusterNetwork final : public Network {
  public:
    ClusterNetwork(const api::Registry& registry, LogStore& logs, std::shared_ptr<api::ServedLoad> load)
        : registry_(registry), logs_(logs), load_(std::move(load)) {}

    // `host` is a name as a pod would write it, its namespace already appended where it had none:
    // "web.default", "web.default.svc.cluster.local", or an address.
    Answer resolve(std::string_view host, int port, const Caller& caller) const override {
        Answer answer;
        if (is_address(host)) {
            answer.addresses.emplace_back(host);
            by_address(host, port, caller, answer);
            return answer;
        }
        const std::string_view written = host;
        while (!host.empty() && host.back() == '.') host.remove_suffix(1);
        bool ours = false;
        for (const std::string& suffix : {"." + std::string(cluster_domain), std::string(".svc")}) {
            if (host.size() <= suffix.size() || host.substr(host.size() - suffix.size()) != suffix) continue;
            host.remove_suffix(suffix.size());
            ours = true;
        }
        const std::vector<std::string_view> labels = api::split(host, '.');
        if (labels.size() < 2) return answer;
        if (registry_.get("namespaces", "", labels.back()) == nullptr) {
            if (!ours && is_public_name(written)) answer = {{address_of(host)}, true, {}, {}, {}, port, true};
            return answer;
        }
        const std::string_view namespace_name = labels.back(), service_name = labels[labels.size() - 2];
        const auto record = registry_.get("services", namespace_name, service_name);
        if (record == nullptr) return answer;
        by_service(registry_.document(*record), labels.size() > 2 ? labels[0] : std::string_view(), port,
                   caller, answer);
        return answer;
    }

    std::optional<Page> ask(const Answer& answer, const PageRequest& request, Time now) const override {
        if (answer.outside) return outside_page(request);
        const auto record = registry_.get("pods", answer.pod_namespace, answer.pod);
        if (record == nullptr) return std::nullopt;
        const Json pod = registry_.document(*record);
        auto page = page_within(registry_, logs_, pod, answer.port, request, now);
        if (page) page->takes = charge(pod, answer.port, now);
        return page;
    }

  private:
    // Adds what a request costs to the pod that answers it. How long it takes: what the limit of the container makes of
    // that, and the way there.
    Duration charge(const Json& pod, int port, Time now) const {
        constexpr Duration way = std::chrono::milliseconds(4);
        const Json& containers = array_at(pod, {"spec", "containers"});
        if (containers.empty()) return way;
        const Json* serving = &containers.front();
        for (const Json& container : containers)
            for (const Json& declared : array_at(container, {"ports"}))
                if (api::int_at(declared, {"containerPort"}) == port) serving = &container;
        const auto image = parse_image(string_at(*serving, {"image"}));
        double cost = std::chrono::duration<double>(request_cost(image ? image->base_name() : std::string_view())).count();
        if (const auto said = string_at(pod, {"metadata", "annotations", "kubemu.io/cpu-per-request"}); !said.empty())
            if (const auto quantity = api::Quantity::parse(said); quantity && !quantity->is_negative())
                cost = static_cast<double>(quantity->milli_value()) / 1000;
        load_->add(api::uid_of(pod), string_at(*serving, {"name"}), now, static_cast<std::int64_t>(cost * 1e9));
        double cores = 1;  // a request keeps one busy
        if (const auto limit = string_at(*serving, {"resources", "limits", "cpu"}); !limit.empty())
            if (const auto quantity = api::Quantity::parse(limit); quantity && quantity->milli_value() > 0)
                cores = std::min(1.0, static_cast<double>(quantity->milli_value()) / 1000);
        return way + Duration(static_cast<Duration::rep>(cost / cores * 1e6));
    }

    struct Backend {
        std::string address, pod_namespace, pod;
        int port = 0;
    };

    // What is ready behind a Service, by its EndpointSlices as for kube-proxy, and where that listens for what the Service
    // calls `port_name`.
    std::vector<Backend> backends(std::string_view namespace_name, std::string_view name,
                                  std::string_view host, std::string_view port_name, bool headless) const {
        std::vector<Backend> result;
        for (const auto& record : registry_.list("endpointslices.discovery.k8s.io", namespace_name)) {
            const api::Labels& labels = api::view_of(*record).labels;
            const auto of = std::find_if(labels.begin(), labels.end(), [](const auto& label) { return label.first == "kubernetes.io/service-name"; });
            if (of == labels.end() || of->second != name) continue;
            const Json slice = registry_.document(*record);
            int number = 0;
            bool has_port = false;
            for (const Json& port : array_at(slice, {"ports"})) {
                if (string_at(port, {"name"}) != port_name) continue;
                has_port = true;
                number = static_cast<int>(api::int_at(port, {"port"}));
            }
            for (const Json& endpoint : array_at(slice, {"endpoints"})) {
                if (!has_port && !headless) continue;
                if (!api::bool_at(endpoint, {"conditions", "ready"}, true)) continue;
                if (!host.empty() && string_at(endpoint, {"hostname"}) != host) continue;
                const Json& addresses = array_at(endpoint, {"addresses"});
                if (addresses.empty() || !addresses.front().is_string()) continue;
                Backend backend{addresses.front().get<std::string>(), std::string(namespace_name), std::string(string_at(endpoint, {"targetRef", "name"})), number};
                if (string_at(endpoint, {"targetRef", "kind"}) != "Pod") std::tie(backend.pod_namespace, backend.pod) = pod_at(backend.address);
                result.push_back(std::move(backend));
            }
        }
        std::stable_sort(result.begin(), result.end(), [](const Backend& a, const Backend& b) { return a.address < b.address; });
        return result;
    }

    // Namespace and name of the running pod that has an address; empty when there is none.
    std::pair<std::string, std::string> pod_at(std::string_view ip) const {
        for (const auto& record : registry_.list("pods", {})) {
            const api::PodView& pod = api::pod_view_of(*record);
            if (pod.pod_ip == ip && pod.phase == api::PodPhase::running) return {pod.namespace_name, pod.name};
        }
        return {};
    }

    // Whose turn it is: a client of a Service with affinity comes to the same pod each time.
    static std::size_t turn(const Json& service, const Caller& caller, std::size_t count) {
        const bool affinity = string_at(service, {"spec", "sessionAffinity"}) == "ClientIP";
        std::uint64_t hash = affinity ? 0 : static_cast<std::uint64_t>(caller.at.time_since_epoch().count());
        for (const char c : caller.pod_ip) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
        hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9U;
        hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebU;
        return static_cast<std::size_t>((hash ^ (hash >> 31)) % count);
    }

    void by_service(const Json& service, std::string_view host, int port, const Caller& caller, Answer& answer) const {
        const std::string_view space = api::namespace_of(service), name = api::name_of(service);
        const std::string_view ip = string_at(service, {"spec", "clusterIP"});
        const bool headless = ip == "None" || !host.empty();
        bool served = headless;
        std::string_view port_name;
        for (const Json& entry : array_at(service, {"spec", "ports"})) {
            if (api::int_at(entry, {"port"}) != port) continue;
            served = true;
            port_name = string_at(entry, {"name"});
        }
        const std::vector<Backend> behind = backends(space, name, host, port_name, headless);
        if (headless) {
            for (const Backend& backend : behind) answer.addresses.push_back(backend.address);
        } else if (!ip.empty()) {
            answer.addresses.emplace_back(ip);
        } else if (const auto external = string_at(service, {"spec", "externalName"}); !external.empty()) {
            if (is_public_name(external))
                answer = {{address_of(external)}, true, {}, {}, {}, port, true};
            else
                answer.addresses.emplace_back(external);
            return;
        }
        answer.reachable = served && !behind.empty();
        if (!answer.reachable) return;
        // Who asks for a headless Service takes the first of its addresses.
        const Backend& chosen = headless ? behind.front() : behind[turn(service, caller, behind.size())];
        answer.pod_namespace = chosen.pod_namespace;
        answer.pod = chosen.pod;
        answer.port = headless ? port : chosen.port;
        answer.server_image = image_of(answer.pod_namespace, answer.pod);
    }

    // A Service's own address, one of its load balancer, or a port of a node.
    bool is_of_service(const Json& service, std::string_view ip, int& port) const {
        if (string_at(service, {"spec", "clusterIP"}) == ip) return true;
        for (const Json& ingress : array_at(service, {"status", "loadBalancer", "ingress"}))
            if (string_at(ingress, {"ip"}) == ip) return true;
        for (const Json& external : array_at(service, {"spec", "externalIPs"}))
            if (external.is_string() && external.get_ref<const std::string&>() == ip) return true;
        for (const Json& entry : array_at(service, {"spec", "ports"})) {
            if (api::int_at(entry, {"nodePort"}) != port || !is_node(ip)) continue;
            port = static_cast<int>(api::int_at(entry, {"port"}));
            return true;
        }
        return false;
    }

    bool is_node(std::string_view ip) const {
        for (const auto& record : registry_.list("nodes", {})) {
            const Json node = registry_.document(*record);
            for (const Json& address : array_at(node, {"status", "addresses"}))
                if (string_at(address, {"address"}) == ip) return true;
        }
        return false;
    }

    void by_address(std::string_view ip, int port, const Caller& caller, Answer& answer) const {
        for (const auto& record : registry_.list("services", {})) {
            const Json service = registry_.document(*record);
            int served = port;
            if (!is_of_service(service, ip, served)) continue;
            Answer named;
            by_service(service, {}, served, caller, named);
            named.addresses = answer.addresses;
            answer = std::move(named);
            return;
        }
        if (auto [space, pod] = pod_at(ip); !pod.empty()) {
            answer.reachable = true;
            answer.server_image = image_of(space, pod);
            answer.pod_namespace = std::move(space);
            answer.pod = std::move(pod);
            answer.port = port;
            return;
        }
        if (!is_private(ip)) answer.reachable = answer.outside = true;
    }

    std::string image_of(std::string_view namespace_name, std::string_view pod) const {
        const auto record = registry_.get("pods", namespace_name, pod);
        if (record == nullptr) return {};
        const Json document = registry_.document(*record);
        const Json& containers = array_at(document, {"spec", "containers"});
        return containers.empty() ? std::string() : std::string(string_at(containers.front(), {"image"}));
    }

    const api::Registry& registry_;
    LogStore& logs_;
    const std::shared_ptr<api::ServedLoad> load_;
};

}  // namespace

std::shared_ptr<const Network> make_network(const api::Registry& registry, LogStore& logs, std::shared_ptr<api::ServedLoad> load) {
    return std::make_shared<ClusterNetwork>(registry, logs, std::move(load));
}

}  // namespace kubemu::controllers::kubelet

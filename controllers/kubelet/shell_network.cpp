// Commands of simulated containers that ask who is where: nslookup, dig, host, getent, ping, nc, ip.
#include <algorithm>

#include "api/kinds/networking/service_networks.h"
#include "controllers/kubelet/identity.h"
#include "controllers/kubelet/image_catalog.h"
#include "controllers/kubelet/shell_commands.h"

namespace kubemu::controllers::kubelet::shell {

Network::Answer look_up(const Machine& machine, const std::string& host, int port) {
    if (machine.network == nullptr) return {};
    const Network::Caller caller{machine.identity == nullptr ? std::string_view() : machine.identity->pod_ip, machine.time};
    // A short name is searched in the pod's own namespace first (resolv.conf's search list).
    if (host == "localhost" || host == "127.0.0.1") {
        const Network::Answer own = machine.identity == nullptr
                                        ? Network::Answer()
                                        : machine.network->resolve(machine.identity->pod_ip, port, caller);
        Network::Answer answer{{"127.0.0.1"}, true, own.server_image, own.pod_namespace, own.pod,
                               port,          false};
        return answer;
    }
    if (machine.identity != nullptr && host == machine.host_name)
        return machine.network->resolve(machine.identity->pod_ip, port, caller);
    Network::Answer answer = machine.network->resolve(host + "." + machine.pod_namespace, port, caller);
    const bool is_address = host.find_first_not_of("0123456789.") == std::string::npos;
    if (is_address || answer.addresses.empty()) answer = machine.network->resolve(host, port, caller);
    return answer;
}

namespace {

// What it would say in full, for a name that was looked up in the search list.
std::string full_name(const Machine& machine, const std::string& name) {
    const auto dots = std::count(name.begin(), name.end(), '.');
    if (dots >= 3) return name;
    if (dots == 0) return name + "." + machine.pod_namespace + ".svc.cluster.local";
    return name.ends_with(".svc") ? name + ".cluster.local" : name + ".svc.cluster.local";
}

std::string name_server(const Machine& machine) {
    if (machine.identity != nullptr) return name_server_of(*machine.identity);
    constexpr std::uint64_t tenth = 9;
    return api::kinds::service_network(api::kinds::default_service_network)->at(tenth).text();
}

// nslookup of busybox until 1.28, with numbered addresses.
void old_look_up(Machine& machine, const std::string& name, const Network::Answer& answer, Streams& streams) {
    const std::string server = name_server(machine);
    streams.out += "Server:    " + server + "\nAddress 1: " + server + " kube-dns.kube-system.svc.cluster.local\n\n";
    if (answer.addresses.empty()) {
        streams.err += "nslookup: can't resolve '" + name + "'\n";
        machine.status = 1;
        return;
    }
    streams.out += "Name:      " + name + "\n";
    int number = 0;
    for (const std::string& address : answer.addresses) {
        const bool named = !answer.outside && answer.addresses.size() == 1;
        streams.out += "Address " + std::to_string(++number) + ": " + address +
                       (named ? " " + full_name(machine, name) : "") + "\n";
    }
}

}  // namespace

void name_look_up(Machine& machine, const Words& argv, Streams& streams) {
    std::string name;
    bool brief = false;
    for (std::size_t i = 1; i < argv.size(); ++i) {
        if (argv[i] == "+short")
            brief = true;
        else if (argv[0] == "getent" && (argv[i] == "hosts" || argv[i] == "ahosts"))
            continue;
        else if (name.empty() && !argv[i].empty() && argv[i][0] != '-' && argv[i][0] != '+' &&
                 argv[i][0] != '@' && argv[i] != "A" && argv[i] != "SRV")
            name = argv[i];
    }
    const Network::Answer answer = look_up(machine, name, 0);
    const std::string full = answer.outside ? name : full_name(machine, name);
    if (argv[0] == "getent") {
        for (const std::string& address : answer.addresses)
            streams.out +=
                address + std::string(address.size() < 16 ? 16 - address.size() : 1, ' ') + full + "\n";
        machine.status = answer.addresses.empty() ? 2 : 0;
        return;
    }
    if (argv[0] == "host") {
        for (const std::string& address : answer.addresses)
            streams.out += full + " has address " + address + "\n";
        if (answer.addresses.empty()) streams.out += "Host " + name + " not found: 3(NXDOMAIN)\n";
        machine.status = answer.addresses.empty() ? 1 : 0;
        return;
    }
    if (argv[0] == "dig") {
        if (!brief) {
            streams.out += "; <<>> DiG 9.18 <<>> " + name + "\n;; ->>HEADER<<- opcode: QUERY, status: " +
                           std::string(answer.addresses.empty() ? "NXDOMAIN" : "NOERROR") +
                           ", id: 4711\n\n;; ANSWER SECTION:\n";
        }
        for (const std::string& address : answer.addresses)
            streams.out += brief ? address + "\n" : name + ".\t30\tIN\tA\t" + address + "\n";
        return;
    }
    const auto image = machine.identity == nullptr ? std::nullopt : parse_image(machine.identity->image);
    const bool busybox = image && image->base_name() == "busybox";
    if (busybox &&
        (image->tag == "1.28" || image->tag.substr(0, 4) == "1.27" || image->tag.substr(0, 5) == "1.28."))
        return old_look_up(machine, name, answer, streams);
    const std::string server = name_server(machine);
    streams.out += "Server:\t\t" + server + "\nAddress:\t" + server +
                   (machine.identity == nullptr || busybox ? ":" : "#") + "53\n\n";
    if (answer.addresses.empty()) {
        streams.out += "** server can't find " + name + ": NXDOMAIN\n\n";
        machine.status = 1;
        return;
    }
    for (const std::string& address : answer.addresses)
        streams.out += "Name:\t" + full + "\nAddress: " + address + "\n";
    streams.out += "\n";
}

void ping(Machine& machine, const Words& argv, Streams& streams) {
    std::string name;
    long count = 0;
    bool quiet = false;
    for (std::size_t i = 1; i < argv.size(); ++i) {
        const std::string& word = argv[i];
        if ((word == "-c" || word == "-W" || word == "-w" || word == "-i" || word == "-s") &&
            i + 1 < argv.size()) {
            const std::string& value = argv[++i];
            if (word == "-c") count = std::clamp(std::atol(value.c_str()), 1L, 100L);
        } else if (word.size() > 2 && word.substr(0, 2) == "-c") {
            count = std::clamp(std::atol(word.c_str() + 2), 1L, 100L);
        } else if (!word.empty() && word[0] == '-') {
            quiet = quiet || word == "-q";
        } else {
            name = word;
        }
    }
    const Network::Answer answer = look_up(machine, name, 0);
    if (answer.addresses.empty()) {
        streams.err += "ping: bad address '" + name + "'\n";
        machine.status = 1;
        return;
    }
    const std::string& address = answer.addresses[0];
    streams.out += "PING " + name + " (" + address + "): 56 data bytes\n";
    const long shown = count == 0 ? 1 : count;
    for (long i = 0; i < shown; ++i) {
        if (!quiet)
            streams.out +=
                "64 bytes from " + address + ": seq=" + std::to_string(i) + " ttl=64 time=0.064 ms\n";
        if (i + 1 < shown) machine.time += std::chrono::seconds(1);
    }
    if (count == 0) {
        machine.endless = true;
        return;
    }
    streams.out += "\n--- " + name + " ping statistics ---\n" + std::to_string(count) +
                   " packets transmitted, " + std::to_string(count) +
                   " packets received, 0% packet loss\nround-trip min/avg/max = 0.064/0.064/0.064 ms\n";
}

// ip addr and ifconfig: the loopback and the pod's one interface.
void host_addresses(Machine& machine, const Words& argv, Streams& streams) {
    const std::string address = machine.identity != nullptr && !machine.identity->pod_ip.empty()
                                    ? machine.identity->pod_ip
                                    : "127.0.0.1";
    if (argv[0] == "ifconfig") {
        streams.out +=
            "eth0      Link encap:Ethernet  HWaddr 02:42:0A:F4:00:02\n          inet addr:" + address +
            "  Bcast:0.0.0.0  Mask:255.255.255.0\n          UP BROADCAST RUNNING MULTICAST  MTU:1500  "
            "Metric:1\n\n"
            "lo        Link encap:Local Loopback\n          inet addr:127.0.0.1  Mask:255.0.0.0\n"
            "          UP LOOPBACK RUNNING  MTU:65536  Metric:1\n\n";
    } else if (argv.size() > 1 && argv[1].substr(0, 1) == "r") {
        const std::string gateway = address.substr(0, address.rfind('.')) + ".1";
        streams.out += "default via " + gateway + " dev eth0\n" + gateway.substr(0, gateway.rfind('.')) +
                       ".0/24 via " + gateway + " dev eth0  src " + address + "\n";
    } else {
        streams.out +=
            "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue qlen 1000\n    inet 127.0.0.1/8 scope "
            "host lo\n"
            "2: eth0@if7: <BROADCAST,MULTICAST,UP,LOWER_UP,M-DOWN> mtu 1500 qdisc noqueue\n    inet " +
            address + "/24 brd 0.0.0.0 scope global eth0\n";
    }
}

void net_cat(Machine& machine, const Words& argv, Streams& streams) {
    Words places;
    for (std::size_t i = 1; i < argv.size(); ++i) {
        if (argv[i] == "-l" || argv[i].substr(0, 2) == "-l") {
            machine.endless = true;
            return;
        }
        if (argv[i] == "-w")
            ++i;
        else if (!argv[i].empty() && argv[i][0] != '-')
            places.push_back(argv[i]);
    }
    if (places.size() < 2) return;
    const Network::Answer answer = look_up(machine, places[0], std::atoi(places[1].c_str()));
    if (answer.addresses.empty()) streams.err += "nc: bad address '" + places[0] + "'\n";
    machine.status = answer.reachable ? 0 : 1;
}

}  // namespace kubemu::controllers::kubelet::shell

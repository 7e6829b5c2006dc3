// Commands of simulated containers that reach for Services and pods.
#include <algorithm>

#include "controllers/kubelet/image_catalog.h"
#include "controllers/kubelet/shell_commands.h"

namespace kubemu::controllers::kubelet::shell {
namespace {

// host, port and path of an address such as http://web:8080/x.
struct Address {
    std::string scheme = "http", host, path = "/";
    int port = 80;
};

Address parse_address(const std::string& text) {
    Address address;
    std::string rest = text;
    if (const auto scheme = rest.find("://"); scheme != std::string::npos) {
        address.scheme = rest.substr(0, scheme);
        rest = rest.substr(scheme + 3);
    }
    if (address.scheme == "https") address.port = 443;
    if (const auto slash = rest.find('/'); slash != std::string::npos) {
        address.path = rest.substr(slash);
        rest = rest.substr(0, slash);
    }
    if (const auto colon = rest.rfind(':'); colon != std::string::npos) {
        address.port = std::atoi(rest.c_str() + colon + 1);
        rest = rest.substr(0, colon);
    }
    address.host = rest;
    return address;
}

Network::Answer look_up(const Machine& machine, const std::string& host, int port) {
    if (machine.network == nullptr) return {};
    // A short name is searched in the pod's own namespace first (resolv.conf's search list).
    if (host == "localhost" || host == "127.0.0.1") return {{"127.0.0.1"}, true, ""};
    Network::Answer answer = machine.network->resolve(host + "." + machine.pod_namespace, port);
    const bool is_address = host.find_first_not_of("0123456789.") == std::string::npos;
    if (is_address || answer.addresses.empty()) answer = machine.network->resolve(host, port);
    return answer;
}

std::string page_of(const Network::Answer& answer) {
    const auto image = parse_image(answer.server_image);
    if (image && image->base_name() == "httpd") return "<html><body><h1>It works!</h1></body></html>\n";
    if (image && image->base_name() != "nginx") return "Hello from " + std::string(image->base_name()) + "\n";
    return "<!DOCTYPE html>\n<html>\n<head>\n<title>Welcome to nginx!</title>\n</head>\n<body>\n<h1>Welcome "
           "to nginx!</h1>\n</body>\n</html>\n";
}

}  // namespace

void fetch(Machine& machine, const Words& argv, Streams& streams) {
    const bool wget = argv[0] == "wget";
    std::string url, file;
    bool quiet = false, spider = false, status_only = false;
    double timeout = 5;
    for (std::size_t i = 1; i < argv.size(); ++i) {
        const std::string& word = argv[i];
        if (word.empty() || word[0] != '-') {
            url = word;
        } else if (wget) {
            if (word == "--spider")
                spider = true;
            else if (word.substr(0, 2) != "--" && word.find('q') != std::string::npos)
                quiet = true;
            if (word.substr(0, 9) == "--timeout")
                timeout = std::atof(word.c_str() + 10);
            else if (word.substr(0, 2) != "--" && word.back() == 'O' && i + 1 < argv.size())
                file = argv[++i];
            else if (word.substr(0, 2) != "--" && word.find('O') != std::string::npos)
                file = word.substr(word.find('O') + 1);
            else if (word == "-T" && i + 1 < argv.size())
                timeout = std::atof(argv[++i].c_str());
            else if (word.substr(0, 2) == "-T")
                timeout = std::atof(word.c_str() + 2);
        } else {
            quiet = quiet || (word.substr(0, 2) != "--" && word.find('s') != std::string::npos);
            if (word == "-w") status_only = true;
            if ((word == "-o" || word == "-w" || word == "-H" || word == "-X" || word == "-d" ||
                 word == "-m" || word == "--max-time" || word == "--connect-timeout") &&
                i + 1 < argv.size()) {
                if (word == "-o") file = argv[i + 1];
                if (word == "-m" || word == "--max-time" || word == "--connect-timeout")
                    timeout = std::atof(argv[i + 1].c_str());
                ++i;
            }
        }
    }
    const Address address = parse_address(url);
    const Network::Answer answer = look_up(machine, address.host, address.port);
    const std::string port = std::to_string(address.port);
    if (answer.addresses.empty()) {
        machine.status = wget ? 1 : 6;
        streams.err +=
            wget ? "wget: bad address '" + address.host + (address.port == 80 ? "" : ":" + port) + "'\n"
                 : "curl: (6) Could not resolve host: " + address.host + "\n";
        return;
    }
    if (!answer.reachable) {
        machine.time += Duration(static_cast<Duration::rep>(std::clamp(timeout, 0.0, 60.0) * 1e4));
        machine.status = wget ? 1 : 7;
        streams.err +=
            wget ? "wget: can't connect to remote host (" + answer.addresses[0] + "): Connection refused\n"
                 : "curl: (7) Failed to connect to " + address.host + " port " + port +
                       ": Connection refused\n";
        return;
    }
    const std::string page = page_of(answer);
    if (wget && !quiet)
        streams.err += "Connecting to " + address.host + " (" + answer.addresses[0] + ":" + port + ")\n";
    if (spider) return;
    if (wget && file.empty())
        file = address.path == "/" ? "index.html" : address.path.substr(address.path.rfind('/') + 1);
    if (file.empty() || file == "-" || file == "/dev/stdout")
        streams.out += page;
    else
        machine.files->write(path_of(machine, file), page, false);
    if (status_only) streams.out += "200";
}

void name_look_up(Machine& machine, const Words& argv, Streams& streams) {
    std::string name;
    for (std::size_t i = 1; i < argv.size() && name.empty(); ++i)
        if (!argv[i].empty() && argv[i][0] != '-') name = argv[i];
    streams.out += "Server:\t\t10.96.0.10\nAddress:\t10.96.0.10:53\n\n";
    const Network::Answer answer = look_up(machine, name, 0);
    if (answer.addresses.empty()) {
        streams.out += "** server can't find " + name + ": NXDOMAIN\n\n";
        machine.status = 1;
        return;
    }
    const auto dots = std::count(name.begin(), name.end(), '.');
    const std::string full = dots >= 3   ? name
                             : dots == 0 ? name + "." + machine.pod_namespace + ".svc.cluster.local"
                             : name.size() > 4 && name.substr(name.size() - 4) == ".svc"
                                 ? name + ".cluster.local"
                                 : name + ".svc.cluster.local";
    for (const std::string& address : answer.addresses)
        streams.out += "Name:\t" + full + "\nAddress: " + address + "\n";
    streams.out += "\n";
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

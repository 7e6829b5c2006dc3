// wget and curl in simulated containers: what they are told, and what they say.
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

// What the two programs are told.
struct FetchCall {
    bool wget = true, quiet = false, spider = false, fails = false, head_only = false, with_head = false,
         verbose = false;
    std::string url, file, format, method = "GET", body, headers;
    double timeout = 5;
};

FetchCall read_wget(const Words& argv) {
    FetchCall call;
    for (std::size_t i = 1; i < argv.size(); ++i) {
        const std::string& word = argv[i];
        const bool more = i + 1 < argv.size();
        if (word.empty() || word[0] != '-') {
            call.url = word;
        } else if (word.substr(0, 2) == "--") {
            const auto equals = word.find('=');
            const std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
            if (word == "--spider")
                call.spider = true;
            else if (word == "--quiet")
                call.quiet = true;
            else if (word.substr(0, 9) == "--timeout")
                call.timeout = std::atof(value.c_str());
            else if (word.substr(0, 11) == "--post-data")
                call.body = value, call.method = "POST";
            else if (word.substr(0, 17) == "--output-document")
                call.file = value;
            else if (word.substr(0, 8) == "--header" && !value.empty())
                call.headers += value + "\r\n";
        } else {
            for (std::size_t at = 1; at < word.size(); ++at) {
                const std::string rest = word.substr(at + 1);
                if (word[at] == 'q') call.quiet = true;
                if (word[at] == 'S') call.with_head = true;
                if (word[at] != 'O' && word[at] != 'T' && word[at] != 't') continue;
                const std::string value = !rest.empty() ? rest : more ? argv[++i] : "";
                if (word[at] == 'O') call.file = value;
                if (word[at] == 'T') call.timeout = std::atof(value.c_str());
                break;
            }
        }
    }
    return call;
}

FetchCall read_curl(const Words& argv) {
    FetchCall call;
    call.wget = false;
    for (std::size_t i = 1; i < argv.size(); ++i) {
        const std::string& word = argv[i];
        if (word.size() < 2 || word[0] != '-') {
            call.url = word;
            continue;
        }
        const bool takes = word == "-o" || word == "-w" || word == "-H" || word == "-X" || word == "-d" ||
                           word == "-m" || word == "-u" || word == "--output" || word == "--write-out" ||
                           word == "--header" || word == "--request" || word == "--data" ||
                           word == "--max-time" || word == "--connect-timeout" || word == "--cacert" ||
                           word == "--cert" || word == "--key" || word == "--retry" || word == "--resolve" ||
                           word == "-A" || word == "--user-agent" || word == "--data-binary";
        const std::string value = takes && i + 1 < argv.size() ? argv[++i] : "";
        if (word == "-o" || word == "--output")
            call.file = value;
        else if (word == "-w" || word == "--write-out")
            call.format = value;
        else if (word == "-H" || word == "--header")
            call.headers += value + "\r\n";
        else if (word == "-X" || word == "--request")
            call.method = value;
        else if (word == "-d" || word.substr(0, 6) == "--data")
            call.body = value, call.method = call.method == "GET" ? "POST" : call.method;
        else if (word == "-m" || word == "--max-time" || word == "--connect-timeout")
            call.timeout = std::atof(value.c_str());
        else if (word == "--head")
            call.head_only = true;
        else if (word == "--fail")
            call.fails = true;
        else if (word == "--silent")
            call.quiet = true;
        else if (word[1] != '-') {
            call.quiet = call.quiet || word.find('s') != std::string::npos;
            call.fails = call.fails || word.find('f') != std::string::npos;
            call.head_only = call.head_only || word.find('I') != std::string::npos;
            call.with_head = call.with_head || word.find('i') != std::string::npos;
        }
    }
    return call;
}

std::string_view reason_of(int code) {
    switch (code) {
        case 200:
            return "OK";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 503:
            return "Service Unavailable";
        default:
            return code < 400 ? "OK" : "Internal Server Error";
    }
}

std::string head_of(const Page& page) {
    return "HTTP/1.1 " + std::to_string(page.code) + " " + std::string(reason_of(page.code)) + "\r\n" +
           (page.server.empty() ? "" : "Server: " + page.server + "\r\n") +
           "Content-Type: " + page.content_type + "\r\nContent-Length: " + std::to_string(page.body.size()) +
           "\r\n\r\n";
}

// The page that is there, from the container itself for localhost. A network that knows no pages says who it
// is.
Page page_at(const Machine& machine, const Network::Answer& answer, const Address& address,
             const FetchCall& call) {
    PageRequest request;
    request.method = call.method;
    request.target = address.path;
    request.host = address.host;
    request.body = call.body;
    request.head = call.method + " " + address.path + " HTTP/1.1\r\nHost: " + address.host +
                   "\r\nUser-Agent: " + (call.wget ? "Wget" : "curl/8.5.0") + "\r\n" + call.headers;
    if (machine.network != nullptr)
        if (auto page = machine.network->ask(answer, request, machine.time)) return *page;
    Page page;
    const auto image = parse_image(answer.server_image);
    page.body = "Hello from " + (image ? std::string(image->base_name()) : address.host) + "\n";
    return page;
}

void refuse_name(Machine& machine, const FetchCall& call, const Address& address, Streams& streams) {
    machine.status = call.wget ? 1 : 6;
    const std::string port = address.port == 80 ? "" : ":" + std::to_string(address.port);
    if (call.wget)
        streams.err += "wget: bad address '" + address.host + port + "'\n";
    else
        streams.err += "curl: (6) Could not resolve host: " + address.host + "\n";
}

void refuse_connection(Machine& machine, const FetchCall& call, const Address& address,
                       const Network::Answer& answer, Streams& streams) {
    machine.time += Duration(static_cast<Duration::rep>(std::clamp(call.timeout, 0.0, 60.0) * 1e4));
    machine.status = call.wget ? 1 : 7;
    if (call.wget)
        streams.err +=
            "wget: can't connect to remote host (" + answer.addresses[0] + "): Connection refused\n";
    else
        streams.err += "curl: (7) Failed to connect to " + address.host + " port " +
                       std::to_string(address.port) + ": Connection refused\n";
}

}  // namespace

void fetch(Machine& machine, const Words& argv, Streams& streams) {
    const FetchCall call = argv[0] == "wget" ? read_wget(argv) : read_curl(argv);
    const Address address = parse_address(call.url);
    const Network::Answer answer = look_up(machine, address.host, address.port);
    if (answer.addresses.empty()) return refuse_name(machine, call, address, streams);
    if (!answer.reachable) return refuse_connection(machine, call, address, answer, streams);
    const Page page = page_at(machine, answer, address, call);
    if (machine.requests_take_time) machine.time += page.takes;
    const bool refused = page.code >= 400;
    if (call.wget && !call.quiet)
        streams.err += "Connecting to " + address.host + " (" + answer.addresses[0] + ":" +
                       std::to_string(address.port) + ")\n";
    if (call.wget && call.with_head) streams.err += head_of(page);
    if (refused && (call.wget || call.fails)) {
        const std::string what = std::to_string(page.code) + " " + std::string(reason_of(page.code));
        streams.err +=
            call.wget ? "wget: server returned error: HTTP/1.1 " + what + "\n"
                      : "curl: (22) The requested URL returned error: " + std::to_string(page.code) + "\n";
        machine.status = call.wget ? 1 : 22;
        return;
    }
    if (call.spider) {
        if (!call.quiet) streams.err += "remote file exists\n";
        return;
    }
    std::string file = call.file, text = page.body;
    if (call.wget && file.empty())
        file = address.path.back() == '/' ? "index.html" : address.path.substr(address.path.rfind('/') + 1);
    if (call.head_only)
        text = head_of(page);
    else if (!call.wget && call.with_head)
        text = head_of(page) + text;
    if (file.empty() || file == "-" || file == "/dev/stdout") {
        streams.out += text;
    } else if (!machine.files->write(path_of(machine, file), text, false)) {
        streams.err += call.wget ? "wget: can't open '" + file + "': Read-only file system\n"
                                 : "curl: (23) Failed writing body\n";
        machine.status = call.wget ? 1 : 23;
        return;
    } else if (call.wget && !call.quiet) {
        streams.err += "saving to '" + file + "'\n" + file +
                       std::string(file.size() < 21 ? 21 - file.size() : 1, ' ') +
                       "100% |********************************| " + std::to_string(text.size()) +
                       "  0:00:00 ETA\n'" + file + "' saved\n";
    }
    std::string shown = call.format;
    for (const auto& [what, with] :
         {std::pair<std::string, std::string>{"%{http_code}", std::to_string(page.code)},
          {"%{response_code}", std::to_string(page.code)},
          {"\\n", "\n"}})
        for (auto at = shown.find(what); at != std::string::npos; at = shown.find(what, at + with.size()))
            shown.replace(at, what.size(), with);
    streams.out += shown;
}

}  // namespace kubemu::controllers::kubelet::shell

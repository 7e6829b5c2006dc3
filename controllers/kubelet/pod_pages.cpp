// Pages by image.
#include "controllers/kubelet/pod_pages.h"

#include "api/request_info.h"
#include "api/values/text.h"
#include "api/values/time.h"
#include "controllers/kubelet/image_catalog.h"

namespace kubemu::controllers::kubelet {
namespace {

struct Target {
    std::string path;
    api::Query query;

    std::string parameter(const char* name) const {
        const auto found = query.find(std::string_view(name));
        return found == query.end() ? std::string() : found->second;
    }
};

Target parse_target(const std::string& target) {
    const std::size_t mark = target.find('?');
    const api::RequestInfo info =
        api::parse_request_info("/", mark == std::string::npos ? "" : std::string_view(target).substr(mark + 1));
    return {target.substr(0, mark), info.query};
}

Page html(std::string body, int code = 200) { return {code, "text/html", {}, std::move(body)}; }

std::string type_of(std::string_view path) {
    const std::size_t dot = path.rfind('.');
    const std::string_view ending = dot == path.npos ? std::string_view() : path.substr(dot + 1);
    if (ending == "html" || ending == "htm") return "text/html";
    if (ending == "css") return "text/css";
    if (ending == "js") return "application/javascript";
    if (ending == "json") return "application/json";
    if (ending == "txt") return "text/plain";
    return "application/octet-stream";
}

// Files below a document root, and what the server shows where there are none.
Page files_of(const PageServer& server, const Target& target, std::string_view root, std::string welcome, std::string missing) {
    const bool directory = target.path.empty() || target.path.back() == '/';
    const std::string path = std::string(root) + target.path + (directory ? "index.html" : "");
    if (server.file) {
        if (auto content = server.file(path)) return {200, type_of(path), {}, std::move(*content)};
    }
    if (target.path == "/" || target.path == "/index.html") return html(std::move(welcome));
    return html(std::move(missing), 404);
}

Page nginx(const PageServer& server, const Target& target, const ImageReference& image) {
    const std::string version = image.tag.substr(0, image.tag.find('-'));
    const bool numbered = !version.empty() && version.find_first_not_of("0123456789.") == std::string::npos;
    const std::string name = numbered ? "nginx/" + version : "nginx";
    Page page = files_of(server, target, nginx_root,
                         "<!DOCTYPE html>\n<html>\n<head>\n<title>Welcome to nginx!</title>\n</head>\n<body>\n"
                         "<h1>Welcome to nginx!</h1>\n<p>This is the simulated web server of pod " +
                             server.pod_namespace + "/" + server.pod + ".</p>\n</body>\n</html>\n",
                         "<html>\n<head><title>404 Not Found</title></head>\n<body>\n<center><h1>404 Not Found</h1></center>\n"
                         "<hr><center>" + name + "</center>\n</body>\n</html>\n");
    page.server = name;
    return page;
}

// registry.k8s.io/e2e-test-images/agnhost: netexec by default; `serve-hostname` answers with the name alone.
Page agnhost(const PageServer& server, const Target& target) {
    for (const std::string& word : server.args)
        if (word == "serve-hostname") return {.body = server.pod};
    if (target.path == "/hostname" || target.path == "/hostName") return {.body = server.pod};
    if (target.path == "/echo") return {.body = target.parameter("msg")};
    if (target.path == "/clientip") return {.body = "127.0.0.1:40000"};
    if (target.path == "/healthz") return {};
    if (target.path == "/") return {.body = "NOW: " + api::format_micro_time(server.now)};
    return {.code = 404, .body = "404 page not found\n"};
}

// hashicorp/http-echo: -text=...
std::string echo_text(const PageServer& server) {
    for (std::size_t i = 0; i < server.args.size(); ++i) {
        for (const std::string_view flag : {"-text", "--text"}) {
            const std::string_view word = server.args[i];
            if (word == flag && i + 1 < server.args.size()) return server.args[i + 1] + "\n";
            if (word.substr(0, flag.size() + 1) == std::string(flag) + "=") return std::string(word.substr(flag.size() + 1)) + "\n";
        }
    }
    return "hello-world\n";
}

// gcr.io/google-samples/hello-app.
std::string hello_app(const PageServer& server, const ImageReference& image) {
    const std::string version = image.tag.empty() || image.tag == "latest" ? "1.0" : image.tag;
    return "Hello, world!\nVersion: " + version + ".0\nHostname: " + server.pod + "\n";
}

// gcr.io/google-samples/kubernetes-bootcamp.
std::string bootcamp(const PageServer& server, const ImageReference& image) {
    const std::string version = image.tag.substr(0, 1) == "v" ? image.tag.substr(1) : "1";
    return "Hello Kubernetes bootcamp! | Running on: " + server.pod + " | v=" + version + "\n";
}

// traefik/whoami and the echo servers: what they were asked.
std::string asked(const PageServer& server, const PageRequest& request) {
    return "Hostname: " + server.pod + "\nIP: 127.0.0.1\nIP: " + server.pod_ip + "\nRemoteAddr: 127.0.0.1:40000\n" + request.head + "\n";
}

std::string some_page(const PageServer& server, std::string_view name, const PageRequest& request) {
    return "Hello from " + std::string(name) + "\npod: " + server.pod_namespace + "/" + server.pod + "\ncontainer: " +
           server.container + "\nnode: " + server.node + "\nrequest: " + request.method + " " + request.target + "\n";
}

}  // namespace

Page page_of(const PageServer& server, const PageRequest& request) {
    if (server.fixed) {
        const std::string& text = *server.fixed;
        const bool json = !text.empty() && (text[0] == '{' || text[0] == '['), markup = !text.empty() && text[0] == '<';
        return {200, json ? "application/json" : markup ? "text/html" : "text/plain; charset=utf-8", {},
                text.empty() || text.back() == '\n' ? text : text + "\n"};
    }
    const auto image = parse_image(server.image);
    if (!image) return {.body = some_page(server, server.image, request)};
    const Target target = parse_target(request.target);
    const std::string_view name = image->base_name();
    if (name.substr(0, 5) == "nginx") return nginx(server, target, *image);
    if (name == "httpd") {
        Page page = files_of(server, target, httpd_root, "<html><body><h1>It works!</h1></body></html>\n",
                             "<html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>\n");
        page.server = "Apache";
        return page;
    }
    if (name == "agnhost") return agnhost(server, target);
    if (name == "serve_hostname" || name == "serve-hostname") return {.body = server.pod};
    if (name == "http-echo") return {.body = echo_text(server)};
    if (name == "kubernetes-bootcamp") return {.body = bootcamp(server, *image)};
    if (name == "hello-go-gke") return {200, "application/json", {}, "{\"message\":\"Hello\"}\n"};
    if (name == "hpa-example") return {.body = "OK!"};
    if (name == "hello-app") return {.body = hello_app(server, *image)};
    if (name == "whoami" || name == "echoserver" || name == "echo-server") return {.body = asked(server, request)};
    return {.body = some_page(server, name, request)};
}

}  // namespace kubemu::controllers::kubelet

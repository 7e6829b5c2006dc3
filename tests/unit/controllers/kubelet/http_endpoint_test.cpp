// Servers in pods: requests in pieces and one after the other, and what the known images answer.
#include "controllers/kubelet/http_endpoint.h"

#include <doctest/doctest.h>

using namespace kubemu::controllers::kubelet;

namespace {

PageServer server(std::string image) {
    PageServer made;
    made.image = std::move(image);
    made.container = "c";
    made.pod = "web-1";
    made.pod_namespace = "shop";
    made.node = "n";
    return made;
}

std::string body(const PageServer& of, const std::string& target = "/") { return page_of(of, {"GET", target, "h", "", ""}).body; }

}  // namespace

TEST_CASE("pages of images name the pod") {
    CHECK(body(server("nginx:1.25")).find("shop/web-1") != std::string::npos);
    CHECK(page_of(server("nginx:1.25.3"), {}).server == "nginx/1.25.3");
    CHECK(page_of(server("nginx"), {"GET", "/none", "", "", ""}).code == 404);
    CHECK(body(server("httpd")).find("It works!") != std::string::npos);
    CHECK(body(server("registry.k8s.io/e2e-test-images/agnhost:2.40"), "/hostname") == "web-1");
    CHECK(body(server("registry.k8s.io/e2e-test-images/agnhost:2.40"), "/echo?msg=a%20b") == "a b");
    CHECK(body(server("gcr.io/google-samples/hello-app:2.0")) == "Hello, world!\nVersion: 2.0.0\nHostname: web-1\n");
    CHECK(body(server("own/app")).find("pod: shop/web-1\n") != std::string::npos);
    PageServer echo = server("hashicorp/http-echo");
    echo.args = {"-text=apple"};
    CHECK(body(echo) == "apple\n");
    PageServer fixed = server("own/app");
    fixed.fixed = R"({"ok":true})";
    CHECK(page_of(fixed, {}).content_type == "application/json");
    PageServer root = server("nginx");
    root.file = [](const std::string& path) {
        return path == "/usr/share/nginx/html/a.css" ? std::optional<std::string>("x{}") : std::nullopt;
    };
    CHECK(page_of(root, {"GET", "/a.css", "", "", ""}).content_type == "text/css");
}

TEST_CASE("a connection answers requests in order, whatever pieces they come in") {
    const auto answer = [](const PageRequest& request) {
        Page page;
        page.body = request.method + request.target + request.body;
        return page;
    };
    const auto connection = make_http_connection(answer);
    for (const char byte : std::string("GET /a HTTP/1.1\r\nHost: x\r\n\r\nPOST /b HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi")) {
        connection->input(std::string_view(&byte, 1));
    }
    const std::string text = connection->output();
    CHECK(text.find("HTTP/1.1 200 OK\r\n") == 0);
    CHECK(text.find("\r\n\r\nGET/a") != std::string::npos);
    CHECK(text.substr(text.size() - 8) == "POST/bhi");
    CHECK_FALSE(connection->ended());
    connection->input("HEAD /c HTTP/1.0\r\n\r\n");
    CHECK(connection->output().find("HEAD") == std::string::npos);
    CHECK(connection->ended());
}

TEST_CASE("what is no request ends the connection") {
    for (const std::string& bytes : {std::string("nonsense\r\n\r\n"), std::string(100'000, 'x'),
                                     std::string("GET / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n")}) {
        const auto connection = make_http_connection([](const PageRequest&) { return Page(); });
        connection->input(bytes);
        CHECK(connection->ended());
        CHECK(connection->output().find("HTTP/1.1 4") == 0);
    }
}

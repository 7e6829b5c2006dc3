// One coroutine a call, on the thread of the caller.
#include "server/https_caller.h"

#include <openssl/x509v3.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>
#include <set>
#include <thread>

#include "server/remote_connection.h"
#include "server/remote_passage.h"
#include "storage/base/limits.h"
#include "storage/base/log.h"
#include "storage/base/mutex.h"

namespace kubemu::server {
namespace {

namespace asio = boost::asio;
namespace ssl = asio::ssl;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);
// net/http.Client
constexpr int redirects_max = 10;

api::RemoteAnswer failure(std::string why) {
    api::RemoteAnswer answer;
    answer.error = std::move(why);
    return answer;
}

// One request and its answer; `location` is where that says to look instead.
asio::awaitable<api::RemoteAnswer> exchange(RemoteConnectionPtr connection, RemotePlace place, std::string dialled, api::RemoteCall call,
                                            std::string& location, const Clock& clock) {
    std::string why = co_await greet(connection, place, std::move(dialled), call.insecure, clock);
    if (!why.empty()) co_return failure(std::move(why));
    RemoteStream& stream = connection->stream;
    why = co_await send_request(connection, place, call);
    if (!why.empty()) co_return failure(std::move(why));
    boost::beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(limits::remote_answer_bytes_max);
    const auto [error, size] = co_await http::async_read(stream, buffer, parser, use_tuple);
    if (error && !parser.is_done()) co_return failure(connection_error(error));
    api::RemoteAnswer answer;
    answer.code = static_cast<int>(parser.get().result_int());
    answer.content_type = std::string(parser.get()[http::field::content_type]);
    answer.body = std::move(parser.get().body());
    location = std::string(parser.get()[http::field::location]);
    co_return answer;
}

// What becomes of a call that is sent elsewhere (net/http.Client.do, redirectBehavior). False: the answer stands.
bool redirect(api::RemoteCall& call, int code, const std::string& location) {
    const bool same_method = code == 307 || code == 308;
    if (!call.follows_redirects || location.empty() || (!same_method && code != 301 && code != 302 && code != 303)) return false;
    if (!same_method && call.method != "GET" && call.method != "HEAD") {
        call.method = "GET";
        call.body.clear();
    }
    call.url = resolve_reference(call.url, location);
    return true;
}

// The certificates that the server's must be signed by. False when the bundle holds none.
bool trust(ssl::context& context, const std::string& bundle, bool insecure) {
    error_code error;
    if (insecure) {
        context.set_verify_mode(ssl::verify_none, error);
        return true;
    }
    context.set_verify_mode(ssl::verify_peer, error);
    // As Go does: any certificate of the bundle is an anchor, whether it signed itself or not.
    X509_STORE_set_flags(SSL_CTX_get_cert_store(context.native_handle()), X509_V_FLAG_PARTIAL_CHAIN);
    if (bundle.empty()) {
        context.set_default_verify_paths(error);
        return true;
    }
    context.add_certificate_authority(asio::buffer(bundle), error);
    return !error;
}

}  // namespace

struct HttpsCaller::Impl {
    Impl(ServiceAddresses given, const Clock& c) : addresses(std::move(given)), clock(c), work(io.get_executor()) {}

    const ServiceAddresses addresses;
    const Clock& clock;
    std::function<ClientCertificate()> make_front_proxy;
    std::optional<ClientCertificate> front_proxy;  // on the thread alone
    asio::io_context io{1};
    asio::executor_work_guard<asio::io_context::executor_type> work;
    std::set<RemoteConnectionPtr> open;  // on the thread alone
    Mutex mutex;
    bool stopped KUBEMU_GUARDED_BY(mutex) = false;
    std::thread thread KUBEMU_GUARDED_BY(mutex);  // from the first call on: most clusters never make one

    // False when calls have come to their end.
    bool post(std::function<void()> start);
    asio::awaitable<void> run(api::RemoteCall call, std::function<void(api::RemoteAnswer)> done);
    asio::awaitable<void> run_forward(api::RemoteCall call, api::Respond respond);
    // The connection for a call and the address that it goes to; null after a failure.
    RemoteConnectionPtr connect(const api::RemoteCall& call, const RemotePlace& place, std::string& dialled, std::string& why);
    void close(const RemoteConnectionPtr& connection);
    void watch(const RemoteConnectionPtr& connection, Duration timeout);
    // Whether the call goes to the Service that it names, and not elsewhere by a redirect.
    static bool to_service(const api::RemoteCall& call, const RemotePlace& place);
};

// What a coroutine of this file throws is a bug.
void log_bug(std::exception_ptr error) {
    if (error == nullptr) return;
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& bug) {
        log_line(LogLevel::error, "a call to another server threw", {{"error", bug.what()}});
    }
}

bool HttpsCaller::Impl::post(std::function<void()> start) {
    Lock lock(mutex);
    if (stopped) return false;
    if (!thread.joinable()) thread = std::thread([this] { io.run(); });
    asio::post(io, std::move(start));
    return true;
}

// What ends a call that takes too long.
void HttpsCaller::Impl::watch(const RemoteConnectionPtr& connection, Duration timeout) {
    connection->deadline.expires_after(timeout);
    connection->deadline.async_wait([connection](error_code error) {
        if (error) return;
        connection->late = true;
        connection->end();
    });
}

bool HttpsCaller::Impl::to_service(const api::RemoteCall& call, const RemotePlace& place) {
    if (call.service.empty()) return false;
    const std::size_t slash = call.service.find('/');
    return place.host == call.service.substr(slash + 1) + "." + call.service.substr(0, slash) + ".svc";
}

RemoteConnectionPtr HttpsCaller::Impl::connect(const api::RemoteCall& call, const RemotePlace& place, std::string& dialled, std::string& why) {
    dialled = place.authority();
    if (to_service(call, place)) {
        const auto mapped = addresses.find(call.service);
        if (mapped == addresses.end() && !call.unreachable.empty()) {
            why = call.unreachable;
            return nullptr;
        }
        dialled = mapped != addresses.end() ? mapped->second : call.address;
    }
    ssl::context context(ssl::context::tls_client);
    if (!place.plain && !trust(context, call.ca_bundle, call.insecure)) {
        why = "unable to load root certificates: unable to parse bytes as PEM block";
        return nullptr;
    }
    if (call.as_front_proxy && make_front_proxy) {
        if (!front_proxy) front_proxy = make_front_proxy();
        error_code ignored;
        context.use_certificate_chain(asio::buffer(front_proxy->certificate), ignored);
        context.use_private_key(asio::buffer(front_proxy->key), ssl::context::pem, ignored);
    }
    auto connection = std::make_shared<RemoteConnection>(io, std::move(context), place.plain);
    open.insert(connection);
    watch(connection, call.timeout);
    return connection;
}

void HttpsCaller::Impl::close(const RemoteConnectionPtr& connection) {
    open.erase(connection);
    connection->deadline.cancel();
    connection->end();
}

asio::awaitable<void> HttpsCaller::Impl::run(api::RemoteCall call, std::function<void(api::RemoteAnswer)> done) {
    const auto until = std::chrono::steady_clock::now() + call.timeout;
    api::RemoteAnswer answer;
    for (int hops = 0;; ++hops) {
        RemotePlace place = place_of(call.url);
        std::string dialled, why, location;
        call.timeout = std::chrono::duration_cast<Duration>(until - std::chrono::steady_clock::now());
        const RemoteConnectionPtr connection = connect(call, place, dialled, why);
        if (connection == nullptr) {
            answer = failure(std::move(why));
        } else {
            answer = co_await exchange(connection, std::move(place), std::move(dialled), call, location, clock);
            if (connection->stopped) answer = failure("context canceled");
            else if (connection->late) answer = failure("context deadline exceeded");
            close(connection);
        }
        answer.url = call.url;
        if (!answer.error.empty() || !redirect(call, answer.code, location)) break;
        if (hops + 1 < redirects_max) continue;
        answer.error = "stopped after 10 redirects";
        break;
    }
    done(std::move(answer));
}

asio::awaitable<void> HttpsCaller::Impl::run_forward(api::RemoteCall call, api::Respond respond) {
    RemotePlace place = place_of(call.url);
    std::string dialled, why;
    const RemoteConnectionPtr connection = connect(call, place, dialled, why);
    if (connection == nullptr) {
        respond(api::unreachable_response(why));
        co_return;
    }
    co_await pass_on(connection, std::move(place), std::move(dialled), std::move(call), std::move(respond), clock);
    close(connection);
}

HttpsCaller::HttpsCaller(ServiceAddresses addresses, const Clock& clock) : impl_(std::make_unique<Impl>(std::move(addresses), clock)) {}

HttpsCaller::~HttpsCaller() { stop(); }

void HttpsCaller::set_front_proxy(std::function<ClientCertificate()> make) { impl_->make_front_proxy = std::move(make); }

void HttpsCaller::call(api::RemoteCall call, std::function<void(api::RemoteAnswer)> done) {
    Impl* impl = impl_.get();
    const bool posted = impl->post([impl, call = std::move(call), done] { asio::co_spawn(impl->io, impl->run(call, done), log_bug); });
    if (!posted) done(failure("context canceled"));
}

void HttpsCaller::forward(api::RemoteCall call, api::Respond respond) {
    Impl* impl = impl_.get();
    const bool posted = impl->post([impl, call = std::move(call), respond] { asio::co_spawn(impl->io, impl->run_forward(call, respond), log_bug); });
    if (!posted) respond(api::unreachable_response("context canceled"));
}

bool HttpsCaller::reaches(const std::string& service) const { return impl_->addresses.count(service) > 0; }

void HttpsCaller::stop() {
    Impl* impl = impl_.get();
    std::thread thread;
    {
        Lock lock(impl->mutex);
        if (std::exchange(impl->stopped, true)) return;
        thread = std::move(impl->thread);
    }
    if (!thread.joinable()) return;
    asio::post(impl->io, [impl] {
        for (const RemoteConnectionPtr& connection : impl->open) {
            connection->stopped = true;
            connection->end();
        }
    });
    impl->work.reset();
    thread.join();
}

}  // namespace kubemu::server

// One coroutine a call: resolve, connect, greet, check the certificate, write, read.
#include "server/https_caller.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <optional>
#include <set>
#include <thread>

#include "storage/base/mutex.h"

#include "server/certificate_check.h"
#include "storage/base/limits.h"
#include "storage/base/log.h"

namespace kubemu::server {
namespace {

namespace asio = boost::asio;
namespace ssl = asio::ssl;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;
using Stream = ssl::stream<tcp::socket>;

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

// Where a URL leads: https://HOST[:PORT]/TARGET.
struct Place {
    std::string host, port, target;
};

Place place_of(const std::string& url) {
    Place place;
    const std::size_t begin = url.find("://") + 3, slash = url.find('/', begin);
    const std::string authority = url.substr(begin, slash - begin);
    place.target = slash == std::string::npos ? "/" : url.substr(slash);
    const std::size_t colon = authority.rfind(':');
    const bool ported = colon != std::string::npos && authority.find(']', colon) == std::string::npos;
    place.host = ported ? authority.substr(0, colon) : authority;
    place.port = ported ? authority.substr(colon + 1) : "443";
    if (place.host.size() > 1 && place.host.front() == '[') place.host = place.host.substr(1, place.host.size() - 2);
    return place;
}

// One call: what it connects with, and what its deadline ends.
struct Connection {
    explicit Connection(asio::io_context& io, ssl::context given) : context(std::move(given)), stream(io, context), deadline(io), resolver(io) {}
    ssl::context context;
    Stream stream;
    asio::steady_timer deadline;
    tcp::resolver resolver;
    bool late = false, stopped = false;

    void end() {
        error_code ignored;
        resolver.cancel();
        stream.lowest_layer().close(ignored);
    }
};
using ConnectionPtr = std::shared_ptr<Connection>;

std::string dial_error(const error_code& error, const std::string& where) {
    std::string why = error.message();
    if (!why.empty() && why[0] >= 'A' && why[0] <= 'Z') why[0] = static_cast<char>(why[0] - 'A' + 'a');
    return "dial tcp " + where + ": connect: " + why;
}

std::string read_error(const error_code& error) {
    if (error == http::error::end_of_stream || error == asio::error::eof || error == asio::ssl::error::stream_truncated) return "EOF";
    if (error == http::error::partial_message) return "unexpected EOF";
    if (error == http::error::body_limit) return "http: response body too large";
    if (error == asio::error::connection_reset) return "read: connection reset by peer";
    if (error.category() == http::make_error_code(http::error::bad_version).category()) return "malformed HTTP response";
    return error.message();
}

api::RemoteAnswer failure(std::string why) {
    api::RemoteAnswer answer;
    answer.error = std::move(why);
    return answer;
}

// Connects and greets; why that could not be done, or nothing.
asio::awaitable<std::string> greet(ConnectionPtr connection, Place place, std::string dialled, bool insecure, const Clock& clock) {
    const std::size_t colon = dialled.rfind(':');
    std::string host = dialled.substr(0, colon);
    if (host.size() > 1 && host.front() == '[') host = host.substr(1, host.size() - 2);
    const std::string port = dialled.substr(colon + 1);
    const auto [resolve_error, found] = co_await connection->resolver.async_resolve(host, port, use_tuple);
    if (resolve_error) co_return "dial tcp: lookup " + host + ": no such host";
    const auto [connect_error, endpoint] = co_await asio::async_connect(connection->stream.lowest_layer(), found, use_tuple);
    if (connect_error) {
        const std::string where = found.empty() ? dialled : found.begin()->endpoint().address().to_string() + ":" + port;
        co_return dial_error(connect_error, where);
    }
    Stream& stream = connection->stream;
    if (!is_ip_address(place.host)) SSL_set_tlsext_host_name(stream.native_handle(), place.host.c_str());
    const auto [greet_error] = co_await stream.async_handshake(ssl::stream_base::client, use_tuple);
    if (greet_error) {
        std::string why = insecure ? std::string() : handshake_failure(stream.native_handle(), clock.now());
        if (why.empty()) why = not_tls(greet_error.message()) ? "http: server gave HTTP response to HTTPS client" : read_error(greet_error);
        co_return why;
    }
    co_return insecure ? std::string() : name_mismatch(stream.native_handle(), place.host);
}

http::request<http::string_body> request_of(api::RemoteCall& call, const Place& place) {
    http::request<http::string_body> request;
    request.method_string(call.method);
    request.target(place.target);
    request.version(11);
    const bool plain = place.port == "443" && call.service.empty();
    request.set(http::field::host, plain ? place.host : place.host + ":" + place.port);
    request.set(http::field::user_agent, "kube-apiserver-admission");
    request.set(http::field::accept, "application/json, */*");
    if (!call.body.empty()) request.set(http::field::content_type, "application/json");
    std::set<std::string> seen;
    for (const auto& [name, value] : call.headers) {
        if (seen.insert(name).second) request.set(name, value);
        else request.insert(name, value);
    }
    request.set(http::field::connection, "close");
    request.body() = std::move(call.body);
    request.prepare_payload();
    return request;
}

asio::awaitable<api::RemoteAnswer> exchange(ConnectionPtr connection, Place place, std::string dialled, api::RemoteCall call,
                                            const Clock& clock) {
    std::string why = co_await greet(connection, place, std::move(dialled), call.insecure, clock);
    if (!why.empty()) co_return failure(std::move(why));
    Stream& stream = connection->stream;
    http::request<http::string_body> request = request_of(call, place);
    const auto [write_error, written] = co_await http::async_write(stream, request, use_tuple);
    if (write_error) co_return failure(read_error(write_error));
    boost::beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(limits::remote_answer_bytes_max);
    const auto [error, size] = co_await http::async_read(stream, buffer, parser, use_tuple);
    if (error && !parser.is_done()) co_return failure(read_error(error));
    api::RemoteAnswer answer;
    answer.code = static_cast<int>(parser.get().result_int());
    answer.content_type = std::string(parser.get()[http::field::content_type]);
    answer.body = std::move(parser.get().body());
    co_return answer;
}

// What the reader of a passed-on answer and its writer share.
struct Passage {
    Mutex mutex;
    std::string arrived KUBEMU_GUARDED_BY(mutex);
    bool ended KUBEMU_GUARDED_BY(mutex) = false, abandoned KUBEMU_GUARDED_BY(mutex) = false;
    std::function<void()> wake KUBEMU_GUARDED_BY(mutex);

    // False when nobody reads any more.
    bool add(std::string_view data, bool last) {
        Lock lock(mutex);
        arrived += data;
        ended = ended || last;
        if (wake) wake();
        return !abandoned;
    }
    bool full() {
        Lock lock(mutex);
        return arrived.size() > limits::remote_answer_bytes_max;
    }
};

// The body of a passed-on answer.
class PassedStream final : public api::Stream {
  public:
    PassedStream(std::shared_ptr<Passage> passage, std::function<void()> abandon) : passage_(std::move(passage)), abandon_(std::move(abandon)) {}
    ~PassedStream() override {
        {
            Lock lock(passage_->mutex);
            passage_->abandoned = true;
            passage_->wake = nullptr;
        }
        abandon_();
    }
    Step next() override {
        Step step;
        Lock lock(passage_->mutex);
        if (!passage_->arrived.empty()) step.data.push_back(Slice::of(std::exchange(passage_->arrived, {})));
        step.state = passage_->ended ? Step::State::end : Step::State::wait;
        return step;
    }
    void on_wake(std::function<void()> wake) override {
        Lock lock(passage_->mutex);
        passage_->wake = std::move(wake);
    }

  private:
    std::shared_ptr<Passage> passage_;
    std::function<void()> abandon_;
};

using BodyParser = http::response_parser<http::buffer_body>;

api::Response head_of(const BodyParser& parser) {
    api::Response response;
    response.code = static_cast<int>(parser.get().result_int());
    response.content_type = std::string(parser.get()[http::field::content_type]);
    for (const auto& field : parser.get()) {
        if (field.name() == http::field::warning || field.name() == http::field::etag || field.name() == http::field::location) {
            response.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
        }
    }
    return response;
}

// Reads the body piece by piece into `take`, which says whether to go on.
asio::awaitable<void> read_body(Stream& stream, boost::beast::flat_buffer& buffer, BodyParser& parser, std::function<bool(std::string_view)> take) {
    std::array<char, 16 * 1024> piece;
    while (!parser.is_done()) {
        parser.get().body().data = piece.data();
        parser.get().body().size = piece.size();
        const auto [error, size] = co_await http::async_read_some(stream, buffer, parser, use_tuple);
        const std::size_t read = piece.size() - parser.get().body().size;
        if (read > 0 && !take({piece.data(), read})) co_return;
        if (error && error != http::error::need_buffer) co_return;
    }
}

// Passes an answer on: as a whole when its length is known, else as it comes in.
asio::awaitable<void> pass_on(ConnectionPtr connection, Place place, std::string dialled, api::RemoteCall call, api::Respond respond,
                              const Clock& clock) {
    std::string why = co_await greet(connection, place, std::move(dialled), call.insecure, clock);
    Stream& stream = connection->stream;
    http::request<http::string_body> request = request_of(call, place);
    boost::beast::flat_buffer buffer;
    BodyParser parser;
    parser.body_limit(boost::none);
    if (why.empty()) {
        const auto [write_error, written] = co_await http::async_write(stream, request, use_tuple);
        if (write_error) why = read_error(write_error);
    }
    if (why.empty()) {
        const auto [read_failure, size] = co_await http::async_read_header(stream, buffer, parser, use_tuple);
        if (read_failure) why = read_error(read_failure);
    }
    if (!why.empty()) {
        respond(api::unreachable_response(connection->late ? "context deadline exceeded" : why));
        co_return;
    }
    connection->deadline.cancel();
    api::Response response = head_of(parser);
    if (parser.content_length() && *parser.content_length() <= limits::remote_answer_bytes_max) {
        std::string body;
        std::function<bool(std::string_view)> gather = [&body](std::string_view piece) {
            body += piece;
            return true;
        };
        co_await read_body(stream, buffer, parser, std::move(gather));
        response.body.push_back(Slice::of(std::move(body)));
        respond(std::move(response));
        co_return;
    }
    const auto passage = std::make_shared<Passage>();
    const std::weak_ptr<Connection> weak = connection;
    response.stream = std::make_unique<PassedStream>(passage, [weak] {
        if (const auto open = weak.lock()) asio::post(open->stream.get_executor(), [open] { open->end(); });
    });
    respond(std::move(response));
    std::function<bool(std::string_view)> pass = [passage](std::string_view piece) { return passage->add(piece, false) && !passage->full(); };
    co_await read_body(stream, buffer, parser, std::move(pass));
    passage->add({}, true);
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
    std::set<ConnectionPtr> open;  // on the thread alone
    Mutex mutex;
    bool stopped KUBEMU_GUARDED_BY(mutex) = false;
    std::thread thread KUBEMU_GUARDED_BY(mutex);  // from the first call on: most clusters never make one

    // False when calls have come to their end.
    bool post(std::function<void()> start);
    asio::awaitable<void> run(api::RemoteCall call, std::function<void(api::RemoteAnswer)> done);
    asio::awaitable<void> run_forward(api::RemoteCall call, api::Respond respond);
    // The connection for a call and the address that it goes to; null after a failure.
    ConnectionPtr connect(const api::RemoteCall& call, const Place& place, std::string& dialled, std::string& why);
    void close(const ConnectionPtr& connection);
    void watch(const ConnectionPtr& connection, Duration timeout);
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
void HttpsCaller::Impl::watch(const ConnectionPtr& connection, Duration timeout) {
    connection->deadline.expires_after(timeout);
    connection->deadline.async_wait([connection](error_code error) {
        if (error) return;
        connection->late = true;
        connection->end();
    });
}

ConnectionPtr HttpsCaller::Impl::connect(const api::RemoteCall& call, const Place& place, std::string& dialled, std::string& why) {
    dialled = place.host + ":" + place.port;
    if (!call.service.empty()) {
        const auto mapped = addresses.find(call.service);
        if (mapped == addresses.end() && !call.unreachable.empty()) {
            why = call.unreachable;
            return nullptr;
        }
        dialled = mapped != addresses.end() ? mapped->second : call.address;
    }
    ssl::context context(ssl::context::tls_client);
    if (!trust(context, call.ca_bundle, call.insecure)) {
        why = "unable to load root certificates: unable to parse bytes as PEM block";
        return nullptr;
    }
    if (call.as_front_proxy && make_front_proxy) {
        if (!front_proxy) front_proxy = make_front_proxy();
        error_code ignored;
        context.use_certificate_chain(asio::buffer(front_proxy->certificate), ignored);
        context.use_private_key(asio::buffer(front_proxy->key), ssl::context::pem, ignored);
    }
    auto connection = std::make_shared<Connection>(io, std::move(context));
    open.insert(connection);
    watch(connection, call.timeout);
    return connection;
}

void HttpsCaller::Impl::close(const ConnectionPtr& connection) {
    open.erase(connection);
    connection->deadline.cancel();
    connection->end();
}

asio::awaitable<void> HttpsCaller::Impl::run(api::RemoteCall call, std::function<void(api::RemoteAnswer)> done) {
    Place place = place_of(call.url);
    std::string dialled, why;
    const ConnectionPtr connection = connect(call, place, dialled, why);
    if (connection == nullptr) {
        done(failure(std::move(why)));
        co_return;
    }
    api::RemoteAnswer answer = co_await exchange(connection, std::move(place), std::move(dialled), std::move(call), clock);
    if (connection->stopped) answer = failure("context canceled");
    else if (connection->late) answer = failure("context deadline exceeded");
    close(connection);
    done(std::move(answer));
}

asio::awaitable<void> HttpsCaller::Impl::run_forward(api::RemoteCall call, api::Respond respond) {
    Place place = place_of(call.url);
    std::string dialled, why;
    const ConnectionPtr connection = connect(call, place, dialled, why);
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
        for (const ConnectionPtr& connection : impl->open) {
            connection->stopped = true;
            connection->end();
        }
    });
    impl->work.reset();
    thread.join();
}

}  // namespace kubemu::server

// Answer heads; see the header.
#include "server/http_text.h"

#include <charconv>
#include <ctime>

namespace kubemu::server {
namespace {

std::string_view reason_phrase(int code) {
    switch (code) {
        case 200: return "OK";
        case 201: return "Created";
        case 202: return "Accepted";
        case 204: return "No Content";
        case 301: return "Moved Permanently";
        case 302: return "Found";
        case 303: return "See Other";
        case 307: return "Temporary Redirect";
        case 308: return "Permanent Redirect";
        case 304: return "Not Modified";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 406: return "Not Acceptable";
        case 409: return "Conflict";
        case 410: return "Gone";
        case 413: return "Request Entity Too Large";
        case 415: return "Unsupported Media Type";
        case 422: return "Unprocessable Entity";
        case 429: return "Too Many Requests";
        case 500: return "Internal Server Error";
        case 501: return "Not Implemented";
        case 502: return "Bad Gateway";
        case 503: return "Service Unavailable";
        case 504: return "Gateway Timeout";
        default: return "Status";
    }
}

void append_number(std::string& text, long long value) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    text.append(digits, end);
}

void append_date(std::string& text, Time now) {
    const std::time_t seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char date[64];
    const std::size_t size = std::strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    text.append(date, size);
}

}  // namespace

std::string response_head(const api::Response& response, std::size_t body_bytes, bool keep_alive, Time now) {
    std::string text;
    text.reserve(256);
    text += "HTTP/1.1 ";
    append_number(text, response.code);
    text += ' ';
    text += reason_phrase(response.code);
    text += "\r\nCache-Control: no-cache, private\r\n";
    const bool no_body = response.code == 204 || response.code == 304;
    if (!no_body && !response.content_type.empty()) {
        text += "Content-Type: ";
        text += response.content_type;
        text += "\r\n";
    }
    for (const auto& [name, value] : response.headers) {
        text += name;
        text += ": ";
        text += value;
        text += "\r\n";
    }
    text += "Date: ";
    append_date(text, now);
    if (response.stream) {
        text += "\r\nTransfer-Encoding: chunked";
    } else if (!no_body) {
        text += "\r\nContent-Length: ";
        append_number(text, static_cast<long long>(body_bytes));
    }
    if (!keep_alive) text += "\r\nConnection: close";
    text += "\r\n\r\n";
    return text;
}

}  // namespace kubemu::server

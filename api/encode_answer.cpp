// JSON text into what was negotiated.
#include "api/encode_answer.h"

#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/codec/json_indent.h"
#include "api/codec/protobuf.h"
#include "api/codec/yaml.h"

namespace kubemu::api {
namespace {

std::string flat(const Scatter& parts) {
    std::string text;
    text.reserve(total_size(parts));
    for (const Slice& part : parts) text += part.text;
    return text;
}

}  // namespace

const TypeInfo& status_type() {
    static const TypeInfo& type = *find_type("meta/v1.Status");
    return type;
}

void set_body(Response& response, const AnswerForm& form, Scatter json, const TypeInfo* type) {
    response.body.clear();
    if (form.encoding == Encoding::protobuf && type != nullptr) {
        response.content_type = protobuf_type;
        response.body.push_back(Slice::of(encode_protobuf(flat(json), *type)));
    } else if (form.encoding == Encoding::yaml) {
        response.content_type = "application/yaml";
        const auto document = parse_json(flat(json));
        response.body.push_back(Slice::of(encode_yaml(document ? *document : Json())));
    } else if (form.pretty) {
        response.body.push_back(Slice::of(indent_json(flat(json))));
    } else {
        response.body = std::move(json);
    }
}

Response status_response(const Status& status, const Request& request) {
    Response response;
    response.code = status.code();
    if (status->retry_after_seconds > 0) {
        response.headers.emplace_back("Retry-After", std::to_string(status->retry_after_seconds));
    }
    Scatter json;
    json.push_back(Slice::of(status.to_json()));
    const auto form = negotiate(request, plain_endpoint);
    if (form) {
        set_body(response, *form, std::move(json), &status_type());
    } else {
        response.body.push_back(Slice::of(indent_json(json[0].text)));
    }
    return response;
}

}  // namespace kubemu::api

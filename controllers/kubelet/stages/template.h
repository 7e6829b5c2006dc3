// Template: the templates by which Stages write patches, in the language of Go's text/template with the
// functions of KWOK (sigs.k8s.io/kwok/pkg/utils/gotpl) and the commoner ones of sprig
// (https://masterminds.github.io/sprig/).
//
//   {{ range .spec.containers }}
//   - name: {{ .name | Quote }}
//   {{ end }}
//
// The data are JSON documents: a member that is not there counts as false and prints as <no value>.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/values/object.h"
#include "storage/base/result.h"

namespace kubemu::controllers::stages {

struct TemplateNode;

// Functions beyond the ordinary ones, by name. An error ends the rendering.
using TemplateFunction =
    std::function<Result<api::Json, std::string>(const std::vector<api::Json>& arguments)>;
using TemplateFunctions = std::map<std::string, TemplateFunction, std::less<>>;

struct Rendered {
    std::string text;
};

class Template {
  public:
    // `functions` are those that the text may name beside the ordinary ones; they may be called when it is
    // rendered. The error is a sentence with the line. A template may be shared; it never changes.
    static Result<Template, std::string> parse(const std::string& text, const TemplateFunctions& functions);
    Template(Template&&) noexcept;
    Template& operator=(Template&&) noexcept;
    ~Template();

    Result<Rendered, std::string> render(const api::Json& data, const TemplateFunctions& functions) const;

  private:
    struct Parts;
    explicit Template(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

}  // namespace kubemu::controllers::stages

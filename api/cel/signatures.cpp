// The declarations of CEL's standard library and of the libraries that Kubernetes adds (k8s.io/apiserver/pkg/cel/library,
// cel-go/ext), as text: what a function is called on and with, and what it gives.
#include "api/cel/signatures.h"

#include <map>

#include "api/values/text.h"

namespace kubemu::api::cel {
namespace {

struct Declaration {
    std::string_view functions;  // separated by blanks
    std::string_view forms;      // separated by ';': "(int, int) bool" or "string.(string) bool"
};

constexpr Declaration declarations[] = {
    {"!_", "(bool) bool"},
    {"-_", "(int) int;(double) double"},
    {"_&&_ _||_", "(bool, bool) bool"},
    {"_?_:_", "(bool, A, A) A"},
    {"_==_ _!=_", "(A, A) bool"},
    {"_<_ _<=_ _>_ _>=_",
     "(int, int) bool;(uint, uint) bool;(double, double) bool;(int, double) bool;(double, int) bool;(int, uint) bool;(uint, int) bool;"
     "(uint, double) bool;(double, uint) bool;(string, string) bool;(bytes, bytes) bool;(bool, bool) bool;(timestamp, timestamp) bool;"
     "(duration, duration) bool"},
    {"_+_",
     "(int, int) int;(uint, uint) uint;(double, double) double;(string, string) string;(bytes, bytes) bytes;(list(A), list(A)) list(A);"
     "(timestamp, duration) timestamp;(duration, timestamp) timestamp;(duration, duration) duration"},
    {"_-_",
     "(int, int) int;(uint, uint) uint;(double, double) double;(timestamp, timestamp) duration;(timestamp, duration) timestamp;"
     "(duration, duration) duration"},
    {"_*_ _/_", "(int, int) int;(uint, uint) uint;(double, double) double"},
    {"_%_", "(int, int) int;(uint, uint) uint"},
    {"@in", "(A, list(A)) bool;(A, map(A, B)) bool"},
    {"_[_]", "(list(A), int) A;(map(A, B), A) B;(optional_type(list(A)), int) optional_type(A);(optional_type(map(A, B)), A) optional_type(B)"},
    {"_[?_]",
     "(list(A), int) optional_type(A);(map(A, B), A) optional_type(B);(optional_type(list(A)), int) optional_type(A);"
     "(optional_type(map(A, B)), A) optional_type(B)"},
    {"size", "(string) int;(bytes) int;(list(A)) int;(map(A, B)) int;string.() int;bytes.() int;list(A).() int;map(A, B).() int"},
    {"type", "(A) type"},
    {"dyn", "(A) dyn"},
    {"int", "(int) int;(uint) int;(double) int;(string) int;(timestamp) int;(duration) int"},
    {"uint", "(uint) uint;(int) uint;(double) uint;(string) uint"},
    {"double", "(double) double;(int) double;(uint) double;(string) double"},
    {"string",
     "(string) string;(bool) string;(int) string;(uint) string;(double) string;(bytes) string;(timestamp) string;(duration) string;"
     "(net.IP) string;(net.CIDR) string"},
    {"bytes", "(bytes) bytes;(string) bytes"},
    {"bool", "(bool) bool;(string) bool"},
    {"timestamp", "(timestamp) timestamp;(string) timestamp;(int) timestamp"},
    {"duration", "(duration) duration;(string) duration;(int) duration"},
    {"contains startsWith endsWith", "string.(string) bool"},
    {"matches", "string.(string) bool;(string, string) bool"},
    {"charAt", "string.(int) string"},
    {"indexOf lastIndexOf", "string.(string) int;string.(string, int) int;list(A).(A) int"},
    {"join", "list(string).() string;list(string).(string) string"},
    {"lowerAscii upperAscii trim", "string.() string"},
    {"replace", "string.(string, string) string;string.(string, string, int) string"},
    {"split", "string.(string) list(string);string.(string, int) list(string)"},
    {"substring", "string.(int) string;string.(int, int) string"},
    {"format", "string.(list(dyn)) string"},
    {"strings.quote", "(string) string"},
    {"find", "string.(string) string"},
    {"findAll", "string.(string) list(string);string.(string, int) list(string)"},
    {"isSorted", "list(int).() bool;list(uint).() bool;list(double).() bool;list(bool).() bool;list(duration).() bool;"
                 "list(timestamp).() bool;list(string).() bool;list(bytes).() bool"},
    {"sum", "list(int).() int;list(uint).() uint;list(double).() double;list(duration).() duration"},
    {"min max", "list(int).() int;list(uint).() uint;list(double).() double;list(bool).() bool;list(duration).() duration;"
                "list(timestamp).() timestamp;list(string).() string;list(bytes).() bytes"},
    {"distinct reverse", "list(A).() list(A)"},
    {"sort", "list(int).() list(int);list(uint).() list(uint);list(double).() list(double);list(bool).() list(bool);"
             "list(duration).() list(duration);list(timestamp).() list(timestamp);list(string).() list(string);list(bytes).() list(bytes)"},
    {"@sortByAssociatedKeys",
     "list(A).(list(int)) list(A);list(A).(list(uint)) list(A);list(A).(list(double)) list(A);list(A).(list(bool)) list(A);"
     "list(A).(list(duration)) list(A);list(A).(list(timestamp)) list(A);list(A).(list(string)) list(A);list(A).(list(bytes)) list(A)"},
    {"slice", "list(A).(int, int) list(A)"},
    {"flatten", "list(list(A)).() list(A);list(dyn).() list(dyn);list(dyn).(int) list(dyn)"},
    {"lists.range", "(int) list(int)"},
    {"first last", "list(A).() optional_type(A)"},
    {"sets.contains sets.equivalent sets.intersects", "(list(A), list(A)) bool"},
    {"getFullYear getMonth getDate getDayOfMonth getDayOfWeek getDayOfYear", "timestamp.() int;timestamp.(string) int"},
    {"getHours getMinutes getSeconds getMilliseconds", "timestamp.() int;timestamp.(string) int;duration.() int"},
    {"url", "(string) kubernetes.URL"},
    {"isURL isIP isCIDR isQuantity", "(string) bool"},
    {"getScheme getHost getHostname getPort getEscapedPath", "kubernetes.URL.() string"},
    {"getQuery", "kubernetes.URL.() map(string, list(string))"},
    {"ip", "(string) net.IP;net.CIDR.() net.IP"},
    {"ip.isCanonical", "(string) bool"},
    {"family", "net.IP.() int"},
    {"isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast", "net.IP.() bool"},
    {"cidr", "(string) net.CIDR"},
    {"containsIP", "net.CIDR.(net.IP) bool;net.CIDR.(string) bool"},
    {"containsCIDR", "net.CIDR.(net.CIDR) bool;net.CIDR.(string) bool"},
    {"masked", "net.CIDR.() net.CIDR"},
    {"prefixLength", "net.CIDR.() int"},
    {"quantity", "(string) kubernetes.Quantity"},
    {"isInteger", "kubernetes.Quantity.() bool"},
    {"asInteger sign", "kubernetes.Quantity.() int"},
    {"asApproximateFloat", "kubernetes.Quantity.() double"},
    {"add sub", "kubernetes.Quantity.(kubernetes.Quantity) kubernetes.Quantity;kubernetes.Quantity.(int) kubernetes.Quantity"},
    {"isGreaterThan isLessThan", "kubernetes.Quantity.(kubernetes.Quantity) bool;kubernetes.Semver.(kubernetes.Semver) bool"},
    {"compareTo", "kubernetes.Quantity.(kubernetes.Quantity) int;kubernetes.Semver.(kubernetes.Semver) int"},
    {"semver", "(string) kubernetes.Semver;(string, bool) kubernetes.Semver"},
    {"isSemver", "(string) bool;(string, bool) bool"},
    {"major minor patch", "kubernetes.Semver.() int"},
    {"format.named", "(string) optional_type(kubernetes.NamedFormat)"},
    {"format.dns1123Label format.dns1123Subdomain format.dns1035Label format.qualifiedName format.dns1123LabelPrefix "
     "format.dns1123SubdomainPrefix format.dns1035LabelPrefix format.labelValue format.uri format.uuid format.byte format.date format.datetime",
     "() kubernetes.NamedFormat"},
    {"validate", "kubernetes.NamedFormat.(string) optional_type(list(string))"},
    {"path", "kubernetes.authorization.Authorizer.(string) kubernetes.authorization.PathCheck"},
    {"group", "kubernetes.authorization.Authorizer.(string) kubernetes.authorization.GroupCheck"},
    {"serviceAccount", "kubernetes.authorization.Authorizer.(string, string) kubernetes.authorization.Authorizer"},
    {"resource", "kubernetes.authorization.GroupCheck.(string) kubernetes.authorization.ResourceCheck"},
    {"subresource namespace name fieldSelector labelSelector",
     "kubernetes.authorization.ResourceCheck.(string) kubernetes.authorization.ResourceCheck"},
    {"check",
     "kubernetes.authorization.PathCheck.(string) kubernetes.authorization.Decision;"
     "kubernetes.authorization.ResourceCheck.(string) kubernetes.authorization.Decision"},
    {"allowed errored", "kubernetes.authorization.Decision.() bool"},
    {"reason error", "kubernetes.authorization.Decision.() string"},
    {"jsonpatch.escapeKey", "(string) string"},
    {"optional.of optional.ofNonZeroValue", "(A) optional_type(A)"},
    {"optional.none", "() optional_type(A)"},
    {"optional.unwrap", "(list(optional_type(A))) list(A)"},
    {"unwrapOpt", "list(optional_type(A)).() list(A)"},
    {"hasValue", "optional_type(A).() bool"},
    {"value", "optional_type(A).() A"},
    {"or", "optional_type(A).(optional_type(A)) optional_type(A)"},
    {"orValue", "optional_type(A).(A) A"},
};

class Reader {
  public:
    explicit Reader(std::string_view text) : text_(text) {}

    Signature read() {
        Signature signature;
        if (text_[0] != '(') {
            signature.method = true;
            signature.arguments.push_back(type());
            ++at_;  // the dot before the parenthesis
        }
        ++at_;
        while (text_[at_] != ')') {
            signature.arguments.push_back(type());
            while (text_[at_] == ',' || text_[at_] == ' ') ++at_;
        }
        at_ += 2;
        signature.result = type();
        return signature;
    }

  private:
    TypePtr type() {
        std::string name;
        while (at_ < text_.size() && std::string_view("(), ").find(text_[at_]) == std::string_view::npos) {
            if (text_[at_] == '.' && text_[at_ + 1] == '(') break;
            name += text_[at_++];
        }
        auto made = std::make_shared<Type>();
        if (name == "A" || name == "B") {
            made->name = "parameter";
            made->path = name;
            return made;
        }
        made->name = name;
        if (at_ >= text_.size() || text_[at_] != '(') return made;
        ++at_;
        while (text_[at_] != ')') {
            made->parameters.push_back(type());
            while (text_[at_] == ',' || text_[at_] == ' ') ++at_;
        }
        ++at_;
        return made;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

std::map<std::string, std::vector<Signature>, std::less<>> read_all() {
    std::map<std::string, std::vector<Signature>, std::less<>> all;
    for (const Declaration& declaration : declarations) {
        for (const std::string_view function : split(declaration.functions, ' ')) {
            for (const std::string_view form : split(declaration.forms, ';')) all[std::string(function)].push_back(Reader(form).read());
        }
    }
    return all;
}

}  // namespace

const std::vector<Signature>& signatures_of(std::string_view function) {
    static const auto all = read_all();
    static const std::vector<Signature> none;
    const auto at = all.find(function);
    return at == all.end() ? none : at->second;
}

}  // namespace kubemu::api::cel

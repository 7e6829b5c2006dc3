// The text of Go structs; what is expected is what dump.ForHash of Kubernetes 1.36 gives.
#include "api/codec/go_dump.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace kubemu::api {
namespace {

std::string quantity(const char* text) {
    std::string out;
    go_dump_quantity(out, text);
    return out;
}

TEST_CASE("structs, pointers and lists with their Go types") {
    const Json subset = Json::parse(R"({"addresses":[{"ip":"10.0.0.1","nodeName":"n1","targetRef":{"kind":"Pod",
        "namespace":"d","name":"a","uid":"u-a"}}],"ports":[{"name":"http","port":80,"protocol":"TCP"}]})");
    CHECK(go_dump(*find_type("core/v1.EndpointSubset"), subset) ==
          "(v1.EndpointSubset){Addresses:([]v1.EndpointAddress)[{IP:(string)10.0.0.1 Hostname:(string) "
          "NodeName:(*string)n1 TargetRef:(*v1.ObjectReference){Kind:(string)Pod Namespace:(string)d Name:(string)a "
          "UID:(types.UID)u-a APIVersion:(string) ResourceVersion:(string) FieldPath:(string)}}] "
          "NotReadyAddresses:([]v1.EndpointAddress)<nil> Ports:([]v1.EndpointPort)[{Name:(string)http Port:(int32)80 "
          "Protocol:(v1.Protocol)TCP AppProtocol:(*string)<nil>}]}");
}

TEST_CASE("embedded structs and either-or values") {
    const Json probe = Json::parse(R"({"httpGet":{"port":"web"},"periodSeconds":3})");
    CHECK(go_dump(*find_type("core/v1.Probe"), probe) ==
          "(v1.Probe){ProbeHandler:(v1.ProbeHandler){Exec:(*v1.ExecAction)<nil> HTTPGet:(*v1.HTTPGetAction){Path:(string) "
          "Port:(intstr.IntOrString){Type:(intstr.Type)1 IntVal:(int32)0 StrVal:(string)web} Host:(string) "
          "Scheme:(v1.URIScheme) HTTPHeaders:([]v1.HTTPHeader)<nil>} TCPSocket:(*v1.TCPSocketAction)<nil> "
          "GRPC:(*v1.GRPCAction)<nil>} InitialDelaySeconds:(int32)0 TimeoutSeconds:(int32)0 PeriodSeconds:(int32)3 "
          "SuccessThreshold:(int32)0 FailureThreshold:(int32)0 TerminationGracePeriodSeconds:(*int64)<nil>}");
}

TEST_CASE("quantities are a scaled number, or a decimal when they are long") {
    CHECK(quantity("100m") == "{i:(resource.int64Amount){value:(int64)100 scale:(resource.Scale)-3} "
                              "d:(resource.infDecAmount){Dec:(*inf.Dec)<nil>} s:(string)100m Format:(resource.Format)DecimalSI}");
    CHECK(quantity("8Gi") == "{i:(resource.int64Amount){value:(int64)8589934592 scale:(resource.Scale)0} "
                             "d:(resource.infDecAmount){Dec:(*inf.Dec)<nil>} s:(string) Format:(resource.Format)BinarySI}");
    CHECK(quantity("12345678901234567890123") ==
          "{i:(resource.int64Amount){value:(int64)0 scale:(resource.Scale)0} d:(resource.infDecAmount){Dec:(*inf.Dec)"
          "{unscaled:(big.Int){neg:(bool)false abs:(big.nat)[6432227781343849984 669260594276]} scale:(inf.Scale)9}} "
          "s:(string) Format:(resource.Format)DecimalSI}");
}

}  // namespace
}  // namespace kubemu::api

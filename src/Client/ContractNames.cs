using System.Globalization;
using Google.Protobuf.Reflection;
using Google.Rpc;
using Mfa.V1;

namespace Mfa.Client;

/// <summary>The proto's own names of its enum values, read from the contract so that none can be misspelt.</summary>
internal static class ContractNames
{
    private static readonly EnumDescriptor Verdicts = Find("Verdict");
    private static readonly EnumDescriptor Factors = Find("Factor");
    private static readonly EnumDescriptor Methods = Find("Method");
    private static readonly EnumDescriptor States = Find("State");
    private static readonly EnumDescriptor DeliveryStates = Find("DeliveryState");
    private static readonly EnumDescriptor Codes = CodeReflection.Descriptor.FindTypeByName<EnumDescriptor>("Code");

    public static string Of(Verdict value) => Name(Verdicts, (int)value);
    public static string Of(Factor value) => Name(Factors, (int)value);
    public static string Of(Method value) => Name(Methods, (int)value);
    public static string Of(State value) => Name(States, (int)value);
    public static string Of(DeliveryState value) => Name(DeliveryStates, (int)value);
    public static string Of(Code value) => Name(Codes, (int)value);

    /// <summary>The name without the enum's prefix, as people type it: <c>AUTHENTICATOR</c>.</summary>
    public static string Short(Method value) => Of(value).Replace("METHOD_", "", StringComparison.Ordinal);
    public static string Short(Factor value) => Of(value).Replace("FACTOR_", "", StringComparison.Ordinal);
    public static string Short(State value) => Of(value).Replace("STATE_", "", StringComparison.Ordinal);
    public static string Short(DeliveryState value) =>
        Of(value).Replace("DELIVERY_STATE_", "", StringComparison.Ordinal);

    // A newer server may know values that this client does not: they keep their number, as in the proto's own JSON.
    private static string Name(EnumDescriptor values, int number) =>
        values.FindValueByNumber(number)?.Name ?? number.ToString(CultureInfo.InvariantCulture);

    private static EnumDescriptor Find(string name) =>
        MfaServiceReflection.Descriptor.FindTypeByName<EnumDescriptor>(name);
}

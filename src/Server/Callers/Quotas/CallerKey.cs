namespace Mfa.Server.Callers.Quotas;

/// <summary>Who is counted as one caller. <see cref="Principal.Id"/> says the same, but makes a string each time.</summary>
internal readonly record struct CallerKey(CallerKind Kind, string Origin, string Tenant, string Name)
{
    public static CallerKey Of(Principal caller) => new(caller.Kind, caller.Origin, caller.Tenant, caller.Name);
}

using System.CommandLine;
using Mfa.Server.Callers;
using Mfa.Server.Domain;

namespace Mfa.Server.Commands;

/// <summary>What a calling service may do, for the verbs that let one in.</summary>
internal static class CallerOptions
{
    public static readonly Option<string> ScopeList = new("--scopes")
    {
        Description = $"What the service may do, separated by commas: {ScopeNames.Accepted}.",
        Required = true,
    };

    public static readonly Option<string> Tenant = new("--tenant")
    {
        Description = "The tenant whose accounts the service may act on.",
        DefaultValueFactory = _ => Principal.DefaultTenant,
    };

    public static readonly Option<string?> DisablePage = new("--disable-page")
    {
        Description = "The service's own page for mailed links to switch off; the token follows after a #. " +
            "Without it the mail carries the token alone.",
    };

    static CallerOptions()
    {
        DisablePage.Accept(page => page is null || SettingTable.IsUrl(page), "give an http or https address without a fragment");
        ScopeList.Accept(text => ScopeNames.Parse(text) is not null, $"choose from {ScopeNames.Accepted}, separated by commas");
        Tenant.Accept(AccountKey.IsName, AccountKey.AcceptedName);
    }
}

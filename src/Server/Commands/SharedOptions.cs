using System.CommandLine;
using Mfa.Server.Domain;

namespace Mfa.Server.Commands;

/// <summary>What several verbs take.</summary>
internal static class SharedOptions
{
    public static readonly Argument<string> Name = new("NAME") { Description = "The name of the key or the person." };

    public static readonly Option<string> Data = new("--data")
    {
        Description = "The data folder: database and key ring. Created on first use.",
        DefaultValueFactory = _ => "./data",
    };

    public static readonly Option<string> Output = new("--output")
    {
        Description = "How results are printed: table or json.",
        DefaultValueFactory = _ => "table",
    };

    static SharedOptions()
    {
        Name.Validators.Add(result =>
        {
            if (!AccountKey.IsName(result.GetValueOrDefault<string>() ?? "")) result.AddError($"NAME: {AccountKey.AcceptedName}.");
        });
        Output.AcceptOnlyFromAmong("table", "json");
        Data.Accept(folder => folder.Trim().Length > 0, "name a folder");
    }

    public static Task<DataFolder> OpenAsync(ParseResult parsed) => DataFolder.OpenAsync(parsed.GetValue(Data)!, TimeProvider.System);

    /// <summary>Makes another value a usage error that says what is accepted.</summary>
    public static void Accept<T>(this Option<T> option, Func<T, bool> accepts, string remedy) => option.Validators.Add(result =>
    {
        if (result.GetValueOrDefault<T>() is { } value && !accepts(value)) result.AddError($"{option.Name}: {remedy}.");
    });
}

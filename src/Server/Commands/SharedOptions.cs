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

    public static readonly Option<string?> Store = new("--store")
    {
        Description = "A PostgreSQL that servers share, as a connection string of Npgsql. Default: setting store:connection, else SQLite in the data folder.",
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

    public static Task<DataFolder> OpenAsync(ParseResult parsed, bool alone = false) =>
        DataFolder.OpenAsync(parsed.GetValue(Data)!, TimeProvider.System, alone, StoreOf(parsed));

    /// <returns>Empty for SQLite.</returns>
    public static string StoreOf(ParseResult parsed) =>
        parsed.GetValue(Store) ?? SettingSources.Read(new Settings(), Environment.CurrentDirectory, []).Store;

    /// <exception cref="StartRefusedException">The verb is about the file of a data folder.</exception>
    public static void RefuseShared(ParseResult parsed, string instead)
    {
        if (StoreOf(parsed).Length > 0) throw new StartRefusedException($"--store: this is for the SQLite file of a data folder. {instead}");
    }

    /// <summary>Makes another value a usage error that says what is accepted.</summary>
    public static void Accept<T>(this Option<T> option, Func<T, bool> accepts, string remedy) => option.Validators.Add(result =>
    {
        if (result.GetValueOrDefault<T>() is { } value && !accepts(value)) result.AddError($"{option.Name}: {remedy}.");
    });
}

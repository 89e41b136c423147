"""The policy pack, which the engine starts: `pulumi preview --policy-pack policy`."""

from pulumi_policy import PolicyPack, ReportViolation, ResourceValidationArgs, ResourceValidationPolicy
from rules import RULES, Rule


def policy(rule: Rule) -> ResourceValidationPolicy:
    """A rule in the engine's form."""

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for message in rule.broken(args):
            report(message, None)

    return ResourceValidationPolicy(rule.name, rule.description, validate, rule.level)


# Serves the engine until it ends the process.
PolicyPack("geo-federation", [policy(rule) for rule in RULES])

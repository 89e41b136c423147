"""The policy pack, as the engine starts it: `pulumi preview --policy-pack policy`."""

from pulumi_policy import PolicyPack, ReportViolation, ResourceValidationArgs, ResourceValidationPolicy
from rules import RULES, Rule


def policy(rule: Rule) -> ResourceValidationPolicy:
    """A rule as the engine takes it."""

    def validate(asked: ResourceValidationArgs, report: ReportViolation) -> None:
        for message in rule.broken(asked):
            report(message, None)

    return ResourceValidationPolicy(rule.name, rule.description, validate, rule.level)


# Serves the engine until it is ended.
PolicyPack("geo-federation", [policy(rule) for rule in RULES])

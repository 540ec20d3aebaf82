"""Permissions, referrals and coupons: what customers said of being asked, and whom they brought."""

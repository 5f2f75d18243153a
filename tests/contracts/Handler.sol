// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICredits} from "../../contracts/interfaces/ICredits.sol";
import {IMemberships} from "../../contracts/interfaces/IMemberships.sol";
import {IProgrammes} from "../../contracts/interfaces/IProgrammes.sol";
import {Dealings} from "./Dealings.sol";
import {
    AuthorityFace,
    BenefitsFace,
    CouncilFace,
    CreditsFace,
    MembershipsFace,
    OrganisationsFace,
    ProgrammesFace,
    SharesFace
} from "./Faces.sol";

/// @title Gives the ledger any commands in any order
contract Handler is Dealings {
    constructor() {
        vm.recordLogs();
        setUp();
        _book(vm.getRecordedLogs());
    }

    // --- commands

    function award(uint256 seed, uint256 count, bool asCouncil, bool second) external {
        uint16 programmeId = second ? SECOND : FIRST;
        ICredits.Award[] memory awards = new ICredits.Award[](_between(count, 1, 5));
        for (uint256 i = 0; i < awards.length; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            awards[i].orgId = _someMember(programmeId, random);
            awards[i].amount = uint64(_between(random >> 32, random % 32 == 0 ? 0 : 1, 2 * PER_AWARD / 3));
            awards[i].category = random >> 96 & 1 == 0 ? DATA : BUILD;
            awards[i].evidence = bytes32(random);
        }
        address sender = asCouncil ? council : issuer;
        bytes memory data = abi.encodeCall(credits.award, (programmeId, awards, _operation()));
        if (!_give(address(credits), sender, data)) return;
        _checkLimits(programmeId, sender, awards);
    }

    function reverse(uint256 seed, uint256 count, bool asCouncil) external {
        if (posted.length == 0) return;
        ICredits.Reversal[] memory reversals = new ICredits.Reversal[](_between(count, 1, 3));
        for (uint256 i = 0; i < reversals.length; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            reversals[i] = _reversal(_someAward(random));
            if (random >> 64 & 15 == 0) reversals[i].entry.amount += 1;
        }
        uint16 programmeId = reversals[0].entry.programmeId;
        bytes memory data = abi.encodeCall(credits.reverse, (programmeId, reversals, _operation()));
        if (_give(address(credits), asCouncil ? council : issuer, data) && !asCouncil) {
            _checkReversed(programmeId);
        }
    }

    function expire(uint256 seed, uint64 amount) external {
        if (posted.length == 0) return;
        ICredits.Expiry[] memory expiries = new ICredits.Expiry[](_between(seed >> 200, 1, 3));
        uint16 programmeId = posted[_someAward(seed) - 1].entry.programmeId;
        uint256 count = 0;
        for (uint256 i = 0; i < expiries.length; ++i) {
            uint256 random = i == 0 ? seed : uint256(keccak256(abi.encode(seed, i)));
            uint64 entryId = _someAward(random);
            if (posted[entryId - 1].entry.programmeId != programmeId) continue;
            expiries[count++] = _someExpiry(programmeId, entryId, random, _between(amount, i == 0 ? 0 : 1, 300));
        }
        assembly ("memory-safe") {
            mstore(expiries, count) // shortens the array to what was filled
        }
        uint256 known = posted.length;
        bytes memory data = abi.encodeCall(credits.expire, (programmeId, expiries, POLICY, _operation()));
        if (_give(address(credits), council, data)) _checkExpiries(known, expiries);
    }

    function changeMembership(uint256 seed, uint8 what, uint32 orgId, bool second) external {
        uint16 programmeId = second ? SECOND : FIRST;
        orgId = uint32(_between(orgId, 1, MOST_ORGANISATIONS));
        uint40 expiresAt = uint40(block.timestamp + _between(seed, 0, 400 days));
        bytes32 id = _operation();
        bytes memory data;
        if (what % 8 < 3) {
            data = abi.encodeCall(
                memberships.admit, (programmeId, _admissions(orgId, uint8(seed % 3), expiresAt), REASON, id)
            );
        } else if (what % 8 == 3) {
            IMemberships.Renewal[] memory renewals = new IMemberships.Renewal[](1);
            renewals[0] = IMemberships.Renewal(orgId, expiresAt);
            data = abi.encodeCall(memberships.renew, (programmeId, renewals, REASON, EVIDENCE, id));
        } else if (what % 8 == 4) {
            IMemberships.TierChange[] memory changes = new IMemberships.TierChange[](1);
            changes[0] = IMemberships.TierChange(orgId, uint8(seed % 3));
            data = abi.encodeCall(memberships.changeTier, (programmeId, changes, REASON, EVIDENCE, id));
        } else {
            bytes4 selector = what % 8 == 5
                ? memberships.suspend.selector
                : what % 8 == 6 ? memberships.resume.selector : memberships.revoke.selector;
            data = abi.encodeWithSelector(selector, programmeId, _one(orgId), REASON, EVIDENCE, id);
        }
        _give(address(memberships), registrar, data);
    }

    function moveToken(uint32 orgId, bool second, address to) external {
        orgId = uint32(_between(orgId, 1, MOST_ORGANISATIONS));
        uint256 tokenId = uint256(second ? SECOND : FIRST) << 32 | orgId;
        address from = _controller(orgId);
        bytes memory data = abi.encodeCall(memberships.transferFrom, (from, to, tokenId));
        vm.assertFalse(_give(address(memberships), from, data), "a token that moved");
        data = abi.encodeCall(memberships.approve, (to, tokenId));
        vm.assertFalse(_give(address(memberships), from, data), "a token that was approved");
    }

    function register(uint256 seed) external {
        uint32 known = organisations.organisationCount();
        if (known >= MOST_ORGANISATIONS) return;
        uint256 count = _between(seed, 1, MOST_ORGANISATIONS - known);
        bytes memory data = abi.encodeCall(organisations.register, (_newcomers(count), _operation()));
        _give(address(organisations), registrar, data);
    }

    function setLimits(uint256 seed, uint64 cap, uint64 perAward, uint64 perEpoch) external {
        // Often a little above what is or may come back, so that it is felt.
        int64 issued = credits.outstanding(FIRST) + credits.refundable(FIRST);
        uint64 least = seed >> 34 & 3 != 0 && issued > 0 ? uint64(issued) : 0;
        cap = uint64(_between(cap, least, least + PER_EPOCH / 4));
        perEpoch = uint64(_between(perEpoch, 0, PER_EPOCH));
        perAward = uint64(_between(perAward, 0, PER_AWARD));
        bytes memory data = abi.encodeCall(programmes.changeSupplyCap, (FIRST, cap, _operation()));
        if (seed % 3 == 0) {
            data = abi.encodeCall(programmes.setBudget, (FIRST, issuer, perAward, perEpoch, _operation()));
        } else if (seed % 3 == 1) {
            bool limited = seed >> 32 & 1 == 0;
            bytes32 category = seed >> 33 & 1 == 0 ? DATA : BUILD;
            data = abi.encodeCall(
                programmes.setCategoryBudget,
                (FIRST, issuer, category, limited, limited ? perEpoch : 0, _operation())
            );
        }
        _give(address(programmes), council, data);
    }

    function setCategory(uint8 what, bool build) external {
        bytes32[] memory keys = _one(build ? BUILD : DATA);
        bytes memory data = what % 4 != 0
            ? abi.encodeCall(programmes.openCategories, (FIRST, keys, _operation()))
            : abi.encodeCall(programmes.closeCategories, (FIRST, keys, _operation()));
        _give(address(programmes), council, data);
    }

    function setPause(uint8 what) external {
        bytes memory data = abi.encodeCall(authority.resume, (_operation()));
        if (what % 8 == 0) data = abi.encodeCall(authority.pause, (_operation()));
        _give(address(authority), admin, data);
    }

    function setIssuer(bool appointed) external {
        bytes memory data = appointed
            ? abi.encodeCall(authority.appoint, (ISSUER_ROLE, FIRST, issuer, _operation()))
            : abi.encodeCall(authority.dismiss, (ISSUER_ROLE, FIRST, issuer, _operation()));
        _give(address(authority), admin, data);
    }

    function wait(uint256 time) external {
        vm.warp(block.timestamp + _between(time, 1, 3 days));
    }

    // --- the books

    function programmeOf(uint64 entryId) external view returns (uint16) {
        return posted[entryId - 1].entry.programmeId;
    }

    function entries() external view returns (uint64) {
        return uint64(posted.length);
    }

    function targets()
        external
        view
        returns (OrganisationsFace, MembershipsFace, CreditsFace, BenefitsFace, SharesFace)
    {
        return (organisations, memberships, credits, benefits, shares);
    }

    function others() external view returns (AuthorityFace, ProgrammesFace, CouncilFace) {
        return (authority, programmes, councils);
    }

    function officer() external view returns (address) {
        return issuer;
    }

    /// @dev Mostly one that can be given an award.
    function _someMember(uint16 programmeId, uint256 random) private view returns (uint32 orgId) {
        orgId = uint32(_between(random, 1, MOST_ORGANISATIONS + 1));
        for (uint256 i = 0; i < MOST_ORGANISATIONS && random >> 16 & 15 != 0; ++i) {
            if (memberships.inGoodStanding(programmeId, orgId)) break;
            orgId = orgId % MOST_ORGANISATIONS + 1;
        }
    }

    /// @dev Mostly one that can be reversed.
    function _someAward(uint256 random) private view returns (uint64 entryId) {
        entryId = uint64(_between(random, 1, posted.length));
        for (uint256 i = 0; i < posted.length && random >> 16 & 7 != 0; ++i) {
            if (posted[entryId - 1].entry.kind == ICredits.Kind.Award && _reversalOf(entryId) == 0) break;
            entryId = entryId % uint64(posted.length) + 1;
        }
    }

    /// @dev Sometimes it leaves about what there is, so that it is felt.
    function _someExpiry(uint16 programmeId, uint64 entryId, uint256 random, uint256 amount)
        private
        view
        returns (ICredits.Expiry memory)
    {
        uint32 orgId = posted[entryId - 1].entry.orgId;
        int64 balance = credits.balanceOf(programmeId, orgId);
        uint64 most = balance > 0 && random >> 100 & 1 == 0 ? uint64(balance) + 10 : 10;
        uint64 leaves = uint64(_between(random >> 104, 0, most));
        return ICredits.Expiry(entryId, orgId, uint64(amount), leaves, DATA);
    }

    function _reversalOf(uint64 entryId) private view returns (uint64) {
        return credits.reversedBy(posted[entryId - 1].entry.programmeId, entryId);
    }

    /// @dev What an award that passed must have kept to.
    function _checkLimits(uint16 programmeId, address sender, ICredits.Award[] memory awards) private view {
        IProgrammes.AwardTerms memory terms = programmes.awardTerms(programmeId, sender);
        int64 issued = credits.outstanding(programmeId) + credits.refundable(programmeId);
        vm.assertTrue(terms.epoch != 0, "an epoch");
        vm.assertGe(int256(uint256(terms.supplyCap)), issued, "the cap, against what is or may come back");
        vm.assertFalse(authority.paused(), "running");
        for (uint256 i = 0; i < awards.length; ++i) {
            vm.assertTrue(memberships.inGoodStanding(programmeId, awards[i].orgId), "good standing");
            vm.assertTrue(awards[i].amount > 0, "amount");
            if (sender == issuer) {
                vm.assertLe(awards[i].amount, terms.perAward, "amount, against the limit");
                _checkCategory(programmeId, terms.epoch, awards[i].category);
            }
        }
        if (sender != issuer) return;
        vm.assertTrue(authority.isOfficer(ISSUER_ROLE, programmeId, issuer), "issuer");
        vm.assertLe(credits.spent(programmeId, terms.epoch, issuer), terms.perEpoch, "spent, against the budget");
    }

    /// @dev What an issuer may have taken back when that has just passed.
    function _checkReversed(uint16 programmeId) private view {
        IProgrammes.AwardTerms memory terms = programmes.awardTerms(programmeId, issuer);
        vm.assertTrue(terms.epoch != 0, "an epoch");
        vm.assertLe(
            credits.reversed(programmeId, terms.epoch, issuer), terms.perEpoch, "reversed, against the budget"
        );
    }

    /// @dev Each took what there was above what it leaves, and no more than it said. One that found
    /// nothing was left out, and can stand twice in a batch then.
    function _checkExpiries(uint256 known, ICredits.Expiry[] memory expiries) private view {
        uint256 next = 0;
        for (uint256 i = known; i < posted.length; ++i) {
            ICredits.Entry storage entry = posted[i].entry;
            if (entry.kind != ICredits.Kind.Expiry) continue; // the rival's
            int256 before = int256(entry.balanceAfter) - entry.amount;
            while (expiries[next].entryId != entry.refersTo || before <= _leaves(expiries[next])) ++next;
            int256 there = before - _leaves(expiries[next]);
            int256 due = int256(uint256(expiries[next].amount));
            vm.assertEq(entry.orgId, expiries[next].orgId, "whose");
            vm.assertEq(-int256(entry.amount), there < due ? there : due, "expired");
            ++next;
        }
        vm.assertGe(int256(next), 1, "expiries");
    }

    function _leaves(ICredits.Expiry memory expiry) private pure returns (int256) {
        return int256(uint256(expiry.leaves));
    }

    function _checkCategory(uint16 programmeId, uint32 epoch, bytes32 category) private view {
        uint64 budget = programmes.categoryBudget(programmeId, issuer, category);
        if (budget == type(uint64).max) return;
        vm.assertLe(credits.spentIn(programmeId, epoch, issuer, category), budget, "spent, against the category's");
    }
}
